package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/headwater-origin/headwater/origin/compress"
	"github.com/headwater-origin/headwater/segstore"
)

// zcacheBytes bounds the compressed files that are kept, over all mounts.
const zcacheBytes = 32 << 20

// compressed returns the file in the coding that the client wants most, or nil
// where it is sent as it is: files that are no text or larger than zmax, ranges,
// and what does not get smaller. It sets the headers that go with either.
func (m *mount) compressed(ctx context.Context, req *request, r *reply, f *segstore.File, b *segstore.Body) ([]byte, error) {
	if b.Size() > int64(m.cfg.ZMax) || b.Size() == 0 || !compress.Compressible(r.header.Get("Content-Type")) {
		return nil, nil
	}
	r.header.Add("Vary", "Accept-Encoding")
	if req.method == http.MethodGet && m.ranging().of(req) != "" {
		return nil, nil
	}
	coding := compress.Negotiate(strings.Join(req.header.Values("Accept-Encoding"), ","), compress.Codings())
	if coding == "" {
		return nil, nil
	}
	key := compress.Key{Space: m.cfg.Path + " " + m.cfg.Store, Name: f.Name(), ETag: f.View().ETag()}
	small, err := m.zcache.Get(ctx, key, coding, func() ([]byte, error) { return contentOf(b) })
	if errors.Is(err, compress.ErrNotSmaller) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.header.Set("Content-Encoding", coding)
	return small, nil
}

// contentOf returns all bytes of a file that is small.
func contentOf(b *segstore.Body) ([]byte, error) {
	data := make([]byte, b.Size())
	if f := b.OnDisk(); f != nil {
		_, err := f.ReadAt(data, 0)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return data, err
	}
	n := 0
	for _, s := range b.AppendSlices(nil, 0, b.Size()) {
		n += copy(data[n:], s)
	}
	return data, nil
}
