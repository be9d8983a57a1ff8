package origin

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/headwater-origin/headwater/origin/script"
	"github.com/headwater-origin/headwater/segstore"
)

// namedFile answers with a file of this machine that the script has named. What
// the request may not read it does not get by way of the script.
func (s *Server) namedFile(ctx context.Context, req *request, m *mount, path string) (*reply, error) {
	var ways ranging
	if m != nil {
		if err := m.mayRead(ctx, req, m.nameOf(req)); err != nil {
			return nil, err
		}
		ways = m.ranging()
	}
	f, info, err := openLocal(path)
	if err != nil {
		return nil, err
	}
	rep := newReply(http.StatusOK)
	rep.kind = kindOfFile(segstore.KindOf(info.Name()))
	rep.header.Set("Content-Type", contentType(info.Name(), ""))
	rep.header.Set("X-Content-Type-Options", "nosniff")
	file := localContent{f, info.Size()}
	valid := validator{etag: segstore.MakeETag(info.ModTime(), info.Size()), modTime: info.ModTime()}
	rep, err = ways.complete(req, rep, valid, file, nil)
	if b, ok := bodyOf(rep).(*sectionsBody); err != nil || !ok || b.file != file {
		_ = f.Close() // only read from
	}
	return rep, err
}

// openLocal opens a file of this machine. It does not block, not even on a named
// pipe. What a client has made up of a name is no failure of the script.
func openLocal(path string) (*os.File, fs.FileInfo, error) {
	missing := &segstore.MissingError{Name: path, Reason: segstore.Never}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	for _, no := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, no) {
			return nil, nil, missing
		}
	}
	if err != nil {
		return nil, nil, scriptError(err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.Mode().IsRegular():
		return f, info, nil
	case err == nil && info.IsDir():
		err = missing
	case err == nil:
		err = scriptError(errors.New(path + " is not a regular file"))
	default:
		err = scriptError(err)
	}
	_ = f.Close() // only read from
	return nil, nil, err
}

// localContent is the content of a file outside of any store.
type localContent struct {
	file *os.File
	size int64
}

func (c localContent) Size() int64                                    { return c.size }
func (c localContent) OnDisk() *os.File                               { return c.file }
func (c localContent) AppendSlices(dst [][]byte, _, _ int64) [][]byte { return dst }
func (c localContent) Close() error                                   { return c.file.Close() }

// slowed is content that is sent as fast as the script wants, in pieces of at
// most so many bytes.
func slowed(content body, a *script.Answer, most int64) *streamBody {
	b := streamed(content, most)
	next := b.next
	var sent int64
	b.next = func(ctx context.Context, dst [][]byte) ([][]byte, error) {
		if err := throttled(ctx, a, sent, b.size); err != nil {
			return dst, err
		}
		before := len(dst)
		dst, err := next(ctx, dst)
		for _, p := range dst[before:] {
			sent += int64(len(p))
		}
		return dst, err
	}
	return b
}

// throttled waits as long as the script wants before more is sent.
func throttled(ctx context.Context, a *script.Answer, sent, total int64) error {
	if a.Throttle == nil {
		return nil
	}
	wait, err := a.Throttle(ctx, sent, total)
	if err != nil || wait <= 0 {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// streamed makes a stream of any content, in pieces of at most so many bytes.
func streamed(b body, most int64) *streamBody {
	out := &streamBody{size: b.length(), done: b.release}
	switch b := b.(type) {
	case *streamBody:
		return b
	case bytesBody:
		rest := []byte(b)
		out.next = func(_ context.Context, dst [][]byte) ([][]byte, error) {
			n := min(int64(len(rest)), most)
			dst, rest = append(dst, rest[:n]), rest[n:]
			return dst, endAt(len(rest) == 0)
		}
	case *growingBody:
		out.next = func(ctx context.Context, dst [][]byte) ([][]byte, error) {
			left := b.to - b.reader.Offset()
			if left == 0 {
				return dst, io.EOF
			}
			return b.reader.Next(ctx, dst, min(left, most))
		}
	case *sectionsBody:
		out.next = (&sectionsStream{b: b, most: most}).next
	}
	return out
}

func endAt(end bool) error {
	if end {
		return io.EOF
	}
	return nil
}

// sectionsStream goes through the sections of a complete file.
type sectionsStream struct {
	b    *sectionsBody
	most int64
	at   int   // the section
	done int64 // bytes of it
	buf  []byte
}

func (s *sectionsStream) next(_ context.Context, dst [][]byte) ([][]byte, error) {
	if s.at == len(s.b.sections) {
		return append(dst, s.b.tail), io.EOF
	}
	sec := s.b.sections[s.at]
	if s.done == 0 && len(sec.head) > 0 {
		dst = append(dst, sec.head)
	}
	from := sec.from + s.done
	to := min(sec.to, from+s.most)
	dst, err := s.piece(dst, from, to)
	if s.done += to - from; sec.from+s.done == sec.to {
		s.at, s.done = s.at+1, 0
	}
	return dst, err
}

func (s *sectionsStream) piece(dst [][]byte, from, to int64) ([][]byte, error) {
	f := s.b.file.OnDisk()
	if f == nil {
		return s.b.file.AppendSlices(dst, from, to), nil
	}
	if s.buf == nil {
		s.buf = make([]byte, s.most)
	}
	n, err := f.ReadAt(s.buf[:to-from], from)
	if int64(n) == to-from {
		err = nil
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return append(dst, s.buf[:n]), err
}
