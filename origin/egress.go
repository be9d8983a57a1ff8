package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"github.com/headwater-origin/headwater/origin/compress"
	"github.com/headwater-origin/headwater/segstore"
)

// get decides the reply to GET and HEAD. It may wait: for a file that is about
// to come, or for the bytes of a closed range.
func (m *mount) get(ctx context.Context, req *request, name string) (*reply, error) {
	for range replacedTries {
		f, err := m.find(ctx, name)
		if err != nil {
			return nil, err
		}
		r, err := m.getFile(ctx, req, f)
		if !errors.Is(err, errStale) && !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	return nil, &segstore.MissingError{Name: name, Reason: segstore.Evicted}
}

// replacedTries is how often a name is looked up whose file was replaced on
// disk, or whose upload failed, before it could be opened: as a rule another
// version is there.
const replacedTries = 10

var errStale = errors.New("the upload failed before it was read")

func (m *mount) getFile(ctx context.Context, req *request, f *segstore.File) (*reply, error) {
	v := f.View()
	if v.State() == segstore.Growing {
		return m.getGrowing(ctx, req, f)
	}
	if v.State() == segstore.Failed {
		return nil, errStale
	}
	return m.getComplete(ctx, req, f)
}

// find returns the file, and waits for one that the encoder is about to send.
func (m *mount) find(ctx context.Context, name string) (*segstore.File, error) {
	f, err := m.store.Lookup(name)
	if errors.Is(err, segstore.ErrName) || errors.Is(err, segstore.ErrIsDir) {
		return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
	}
	var missing *segstore.MissingError
	if err == nil || !errors.As(err, &missing) || missing.Reason != segstore.Next || m.cfg.HoldTimeout <= 0 {
		return f, err
	}
	ctx, release, err := m.hold(ctx, time.Duration(m.cfg.HoldTimeout), missing)
	if err != nil {
		return nil, err
	}
	defer release()
	if f, err = m.store.Await(ctx, name); errors.As(err, &missing) {
		m.metrics.heldTimeout.Inc()
	}
	return f, err
}

// getComplete answers with a complete file or some of it. An error that wraps
// fs.ErrNotExist means that the file has gone from disk, or was replaced there.
func (m *mount) getComplete(ctx context.Context, req *request, f *segstore.File) (*reply, error) {
	b, err := f.Open()
	if err != nil {
		return nil, err
	}
	r, err := m.represent(ctx, req, f, b)
	if content, ok := bodyOf(r).(*sectionsBody); err != nil || !ok || content.file != b {
		_ = b.Close() // read only: nothing is lost
	}
	return r, err
}

func bodyOf(r *reply) body {
	if r == nil {
		return nil
	}
	return r.body
}

// represent makes the reply with an open file, which has the file in its body,
// or does not need it any longer.
func (m *mount) represent(ctx context.Context, req *request, f *segstore.File, b *segstore.Body) (*reply, error) {
	view := f.View()
	r := m.fileReply(http.StatusOK, f, kindOfFile(f.Kind()))
	small, err := m.compressed(ctx, req, r, f, b)
	if err != nil {
		return nil, err
	}
	valid := validator{etag: compress.ETagFor(view.ETag(), r.header.Get("Content-Encoding")), modTime: view.ModTime()}
	return m.ranging().complete(req, r, valid, b, small)
}

// ranging is what is done about Range. The zero value does as RFC 9110 has it.
type ranging struct{ off, concat bool }

func (m *mount) ranging() ranging { return ranging{off: m.cfg.NoRange, concat: m.cfg.ConcatRanges} }

// complete fills a reply with a complete file, or what the request asks for of
// it; or with small, which stands for all of it.
func (w ranging) complete(req *request, r *reply, valid validator, file content, small []byte) (*reply, error) {
	r.header.Set("ETag", valid.etag)
	r.header.Set("Last-Modified", valid.modTime.UTC().Format(http.TimeFormat))
	if w.off {
		r.header.Set("Accept-Ranges", "none")
	} else {
		r.header.Set("Accept-Ranges", "bytes")
	}
	if status := valid.evaluate(req.header); status != 0 {
		return preconditionReply(r, status)
	}
	if small != nil {
		r.body = bytesBody(small)
		return r, nil
	}
	body := &sectionsBody{file: file, sections: []section{{to: file.Size()}}}
	if header := w.of(req); header != "" && req.method == http.MethodGet && valid.rangeHolds(req.header) {
		if err := w.apply(r, body, header); err != nil {
			return nil, err
		}
	}
	r.body = body
	return r, nil
}

func preconditionReply(r *reply, status int) (*reply, error) {
	if status == http.StatusPreconditionFailed {
		return nil, fail(status, "The file is not the version that If-Match or If-Unmodified-Since asks for.")
	}
	r.status = status
	r.header.Del("Content-Type")
	r.header.Del("Content-Encoding")
	return r, nil
}

// fileReply begins a reply with a file in it.
func (m *mount) fileReply(status int, f *segstore.File, kind replyKind) *reply {
	r := newReply(status)
	r.kind = kind
	r.header.Set("Content-Type", contentType(f.Name(), f.View().Head().ContentType))
	r.header.Set("X-Content-Type-Options", "nosniff")
	return r
}

// of returns the Range of the request, as far as it is looked at.
func (w ranging) of(req *request) string {
	if w.off {
		return ""
	}
	return req.header.Get("Range")
}

// apply narrows the reply to the ranges that were asked for.
func (w ranging) apply(r *reply, content *sectionsBody, header string) error {
	ranges, err := parseRange(header)
	if err != nil {
		return nil // not understood: the whole file
	}
	size := content.file.Size()
	spans, err := resolveAll(ranges, size)
	if errors.Is(err, errUnsatisfiable) {
		return rangeError(size)
	}
	if err != nil {
		return nil
	}
	r.status = http.StatusPartialContent
	switch {
	case len(spans) == 1:
		content.sections = []section{{from: spans[0].from, to: spans[0].to}}
		r.header.Set("Content-Range", contentRange(spans[0], size))
	case w.concat:
		content.sections = concatenated(spans)
	default:
		multipartRanges(r, content, spans, size)
	}
	return nil
}

func rangeError(size int64) *httpError {
	e := fail(http.StatusRequestedRangeNotSatisfiable, "The range lies beyond the file's %d bytes.", size)
	e.header = http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", size)}}
	return e
}

func contentRange(s span, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.from, s.to-1, size)
}

// concatenated is httpout's answer to several ranges: their bytes, one after
// the other, with nothing between.
func concatenated(spans []span) []section {
	out := make([]section, len(spans))
	for i, s := range spans {
		out[i] = section{from: s.from, to: s.to}
	}
	return out
}

// multipartRanges makes the content multipart/byteranges (RFC 9110 section 14.6).
func multipartRanges(r *reply, content *sectionsBody, spans []span, size int64) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	if err := w.SetBoundary("headwater" + strconv.FormatUint(rand.Uint64(), 36)); err != nil {
		panic(err) // the boundary is of legal characters
	}
	part := textproto.MIMEHeader{"Content-Type": {r.header.Get("Content-Type")}}
	sections := make([]section, 0, len(spans))
	for _, s := range spans {
		part.Set("Content-Range", contentRange(s, size))
		_, _ = w.CreatePart(part) // a bytes.Buffer takes all
		sections = append(sections, section{head: bytes.Clone(buf.Bytes()), from: s.from, to: s.to})
		buf.Reset()
	}
	_ = w.Close() // a bytes.Buffer takes all
	content.sections, content.tail = sections, buf.Bytes()
	r.header.Set("Content-Type", "multipart/byteranges; boundary="+w.Boundary())
}
