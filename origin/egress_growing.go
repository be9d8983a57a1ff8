package origin

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/headwater-origin/headwater/segstore"
)

// getGrowing answers with a file that is still being uploaded. A Range is
// honoured like this, for a file whose length was not announced:
//
//	bytes=0-       200: the whole file, followed to its end
//	bytes=a-       206, Content-Range: bytes a-9007199254740991/*, followed to
//	               its end: RFC 8673's way to say "from a on"
//	bytes=a-HUGE   the same, with the end that was asked for
//	bytes=a-b      waits until these bytes exist, then 206 with their length;
//	               a file that ends before b ends the range
//	bytes=-n, several ranges   200: they need a length
//
// Where the length was announced, ranges are held against it.
func (m *mount) getGrowing(ctx context.Context, req *request, f *segstore.File) (*reply, error) {
	if req.header.Get("If-Match") != "" && req.header.Get("If-Match") != "*" {
		return nil, fail(http.StatusPreconditionFailed, "The file is still being uploaded and has no ETag yet.")
	}
	r := m.fileReply(http.StatusOK, f, kindGrowing)
	b, ranged := m.growingRange(req)
	size := f.View().Head().Length
	switch {
	case req.unframed && size < 0, !m.cfg.CTE:
		return m.growingWhole(ctx, req, f)
	case ranged && size >= 0:
		return m.growingKnown(r, f, b, size)
	case ranged && !b.open() && b.to < hugeEnd:
		return m.growingClosed(ctx, req, f, b)
	case ranged && b != byteRange{0, -1}:
		return m.growingOpen(ctx, req, f, b)
	}
	if req.method == http.MethodHead {
		r.kind = kindFuture // as in growingClosed
	}
	r.body = &growingBody{reader: f.NewReader(0), to: endless, size: size}
	return r, nil
}

// hugeEnd is where the end of a range stops being a place in a file and
// becomes RFC 8673's "very large value".
const hugeEnd = int64(1) << 40

// growingRange returns the range of the request when it is one that a growing
// file can be asked for.
func (m *mount) growingRange(req *request) (byteRange, bool) {
	if req.method != http.MethodGet || req.header.Get("If-Range") != "" {
		return byteRange{}, false
	}
	ranges, err := parseRange(m.ranging().of(req))
	if err != nil || len(ranges) != 1 || ranges[0].suffix() {
		return byteRange{}, false
	}
	return ranges[0], true
}

// growingKnown answers a range of a file whose length was announced.
func (m *mount) growingKnown(r *reply, f *segstore.File, b byteRange, size int64) (*reply, error) {
	from, to, ok := b.resolve(size)
	if !ok {
		return nil, rangeError(size)
	}
	r.status = http.StatusPartialContent
	if to < size {
		r.kind = kindFuture // as in growingClosed
	}
	r.header.Set("Content-Range", contentRange(span{from, to}, size))
	r.body = &growingBody{reader: f.NewReader(from), to: to, size: to - from}
	return r, nil
}

// growingWhole answers once the file is complete, for a client that could not
// tell half of it from all of it, and for a mount that is not to send in chunks.
func (m *mount) growingWhole(ctx context.Context, req *request, f *segstore.File) (*reply, error) {
	if err := m.waitFor(ctx, f, math.MaxInt64); err != nil {
		return nil, err
	}
	return m.getComplete(ctx, req, f)
}

// growingOpen answers a range without a real end: it follows the file.
func (m *mount) growingOpen(ctx context.Context, req *request, f *segstore.File, b byteRange) (*reply, error) {
	if err := m.waitFor(ctx, f, b.from+1); err != nil {
		return nil, err
	}
	if f.View().State() == segstore.Complete {
		return m.getComplete(ctx, req, f)
	}
	last := endless
	if !b.open() {
		last = b.to
	}
	r := m.fileReply(http.StatusPartialContent, f, kindGrowing)
	r.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", b.from, last))
	r.body = &growingBody{reader: f.NewReader(b.from), to: endless, size: -1}
	return r, nil
}

// growingClosed answers a range with an end once its bytes are there.
func (m *mount) growingClosed(ctx context.Context, req *request, f *segstore.File, b byteRange) (*reply, error) {
	if err := m.waitFor(ctx, f, b.to+1); err != nil {
		return nil, err
	}
	v := f.View()
	if v.State() == segstore.Complete {
		return m.getComplete(ctx, req, f)
	}
	// Of these bytes nobody can say yet that they are of a whole file, and the
	// reply ends well whatever becomes of the upload: not for a cache to keep.
	r := m.fileReply(http.StatusPartialContent, f, kindFuture)
	r.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", b.from, b.to))
	r.body = &growingBody{reader: f.NewReader(b.from), to: b.to + 1, size: b.to + 1 - b.from}
	return r, nil
}

// waitFor waits until the file has size bytes, or is Complete. It is a held
// request like one for a file to come. An upload that stands still is cut, and
// that ends the wait before its own bound does.
func (m *mount) waitFor(ctx context.Context, f *segstore.File, size int64) error {
	if f.View().Size() >= size {
		return nil
	}
	tooLong := fail(http.StatusServiceUnavailable, "The bytes asked for have not come in time.")
	tooLong.header = http.Header{"Retry-After": {"1"}}
	ctx, release, err := m.hold(ctx, m.rangeWait(), tooLong)
	if err != nil {
		return err
	}
	defer release()
	for {
		v := f.View()
		switch {
		case v.Size() >= size || v.State() == segstore.Complete:
			return nil
		case v.State() == segstore.Failed:
			return brokenUpload(v.Err())
		}
		select {
		case <-v.Changed():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func brokenUpload(reason error) error {
	e := fail(http.StatusBadGateway, "The upload of the file broke off.")
	e.err = reason
	return e
}
