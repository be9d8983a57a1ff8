package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/headwater-origin/headwater/segstore"
)

// source is where the bytes of an upload come from. Each attempt opens it anew.
type source interface {
	// ready waits until an attempt may begin: for a manifest until it is
	// complete. Its error is that of the source.
	ready(ctx context.Context) error
	// open returns the bytes from the first on, and their number or -1.
	open() (opened, error)
	// grows says that bytes are still to come.
	grows() bool
	// whole says that all bytes have come; failed that they never will.
	whole() bool
	failed() bool
	// held is how many bytes of memory it keeps alive.
	held() int64
	// done gives up what it keeps alive. It is legal once.
	done()
}

// opened is a source during one attempt.
type opened interface {
	pieces
	length() int64
	close()
}

// brokenError is why a file failed. It hides what it wraps, so that no reason
// whatever is taken for the clean end of a body.
type brokenError struct{ text string }

func (e brokenError) Error() string { return e.text }

// storeSource is a file of a store that was growing when it was seen first: its
// bytes stay in memory as long as it is held.
type storeSource struct {
	file   *segstore.File
	hold   *segstore.Reader
	atOnce bool // it is sent while it grows
}

func newStoreSource(f *segstore.File) *storeSource {
	return &storeSource{file: f, hold: f.NewReader(0), atOnce: segstore.KindOf(f.Name()) != segstore.Manifest}
}

func (s *storeSource) grows() bool  { return s.file.View().State() == segstore.Growing }
func (s *storeSource) whole() bool  { return s.file.View().State() == segstore.Complete }
func (s *storeSource) failed() bool { return s.file.View().State() == segstore.Failed }
func (s *storeSource) held() int64  { return s.file.View().Size() }
func (s *storeSource) done()        { s.hold.Close() }

func (s *storeSource) ready(ctx context.Context) error {
	for {
		v := s.file.View()
		switch {
		case v.State() == segstore.Failed:
			return &SourceError{brokenError{fmt.Sprint(v.Err())}}
		case s.atOnce || v.State() == segstore.Complete:
			return nil
		}
		select {
		case <-v.Changed():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *storeSource) open() (opened, error) {
	o := &storeOpened{r: s.file.NewReader(0), size: -1}
	if v := s.file.View(); v.State() == segstore.Complete {
		o.size = v.Size()
	}
	return o, nil
}

// storeOpened follows a file.
type storeOpened struct {
	r     *segstore.Reader
	size  int64
	queue [][]byte
}

func (o *storeOpened) length() int64 { return o.size }
func (o *storeOpened) close()        { o.r.Close() }

func (o *storeOpened) next(ctx context.Context) ([]byte, error) {
	if len(o.queue) == 0 {
		var err error
		o.queue, err = o.r.Next(ctx, o.queue[:0], pieceSize)
		if err != nil && o.r.File().View().State() == segstore.Failed {
			return nil, brokenError{err.Error()}
		}
		if err != nil {
			return nil, err
		}
	}
	p := o.queue[0]
	o.queue = o.queue[1:]
	return p, nil
}

// wholeSource is a file of a store that was complete when it was seen first;
// its bytes may lie on disk.
type wholeSource struct{ file *segstore.File }

func (s *wholeSource) ready(context.Context) error { return nil }
func (s *wholeSource) grows() bool                 { return false }
func (s *wholeSource) whole() bool                 { return true }
func (s *wholeSource) failed() bool                { return false }
func (s *wholeSource) held() int64                 { return 0 } // the store's own copy
func (s *wholeSource) done()                       {}

func (s *wholeSource) open() (opened, error) {
	b, err := s.file.Open()
	if err != nil {
		return nil, &SourceError{err}
	}
	return &wholeOpened{body: b}, nil
}

type wholeOpened struct {
	body *segstore.Body
	off  int64
	buf  []byte
}

func (o *wholeOpened) length() int64 { return o.body.Size() }
func (o *wholeOpened) close()        { _ = o.body.Close() }

func (o *wholeOpened) next(context.Context) ([]byte, error) {
	n := min(pieceSize, o.body.Size()-o.off)
	if n == 0 {
		return nil, io.EOF
	}
	at := o.off
	if f := o.body.OnDisk(); f != nil {
		if o.buf == nil {
			o.buf = make([]byte, pieceSize)
		}
		got, err := f.ReadAt(o.buf[:n], at)
		if int64(got) < n {
			return nil, brokenError{fmt.Sprintf("read from disk: %v", err)}
		}
		o.off += n
		return o.buf[:n], nil
	}
	p := o.body.AppendSlices(nil, at, at+n)[0]
	o.off += int64(len(p))
	return p, nil
}

// diskSource is a file outside of any store. It keeps no memory alive.
type diskSource struct{ path string }

func (s diskSource) ready(context.Context) error { return nil }
func (s diskSource) grows() bool                 { return false }
func (s diskSource) whole() bool                 { return true }
func (s diskSource) failed() bool                { return false }
func (s diskSource) held() int64                 { return 0 }
func (s diskSource) done()                       {}

func (s diskSource) open() (opened, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, &SourceError{err}
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", s.path)
	}
	if err != nil {
		_ = f.Close() // only read from
		return nil, &SourceError{err}
	}
	return &diskOpened{file: f, size: info.Size(), from: readerPieces{r: f}}, nil
}

type diskOpened struct {
	file *os.File
	size int64
	from readerPieces
}

func (o *diskOpened) length() int64 { return o.size }
func (o *diskOpened) close()        { _ = o.file.Close() } // it was only read

func (o *diskOpened) next(ctx context.Context) ([]byte, error) {
	p, err := o.from.next(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, brokenError{err.Error()}
	}
	return p, err
}
