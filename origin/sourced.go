package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/headwater-origin/headwater/origin/source"
	"github.com/headwater-origin/headwater/segstore"
)

// newSource returns who takes the uploads of a mount that stores nothing, or nil.
func (s *Server) newSource(cfg *Mount, m *mount) (*source.Output, error) {
	c := &cfg.Source
	if !c.used() {
		return nil, nil //nolint:nilnil // the mount is no source
	}
	opt := source.Options{
		Exec: c.Exec, FIFO: c.FIFO, File: c.File, Ext: cfg.Ext, MIME: cfg.MIME, BlockIO: cfg.BlockIO,
		Timeout: time.Duration(cfg.UploadTimeout), Log: m.log,
	}
	if c.Stdout {
		opt.Stdout = os.Stdout
	}
	if c.URL != "" {
		to := DefaultPush()
		to.URL, to.Timeout = c.URL, cfg.UploadTimeout
		dest, err := to.Destination(s.cfg.UserAgent, cfg.BlockIO)
		if err != nil {
			return nil, fmt.Errorf("mount %s: source.url: %w", cfg.Path, err)
		}
		opt.Push = &dest
	}
	out, err := source.New(opt)
	if err != nil {
		return nil, fmt.Errorf("mount %s: source: %w", cfg.Path, err)
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
		defer cancel()
		return out.Close(ctx)
	})
	return out, nil
}

// give hands an upload to the output as it comes, and stores nothing of it.
func (m *mount) give(ctx context.Context, req *request, name string, up *upload) (*reply, error) {
	if err := m.admit(ctx, req, name, up); err != nil {
		return nil, err
	}
	if partial(req) {
		return nil, closing(fail(http.StatusRequestedRangeNotSatisfiable, "What is stored nowhere has no parts: send the whole file."))
	}
	up.stall = m.uploadStall()
	up.received.counter = m.metrics.ingestBytes
	defer up.received.flush()
	first := make([]byte, firstRead)
	n, err := up.first(first)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, m.uploadError(err)
	}
	if n == 0 && up.ended && req.method == http.MethodPost {
		return newReply(http.StatusOK), nil // a probe of the publishing point
	}
	if name == "" {
		name = path.Base(m.cfg.Path)
	}
	if req.dir || name == "/" {
		return nil, closing(fail(http.StatusBadRequest, "An upload needs a file name."))
	}
	m.metrics.uploading.Inc()
	defer m.metrics.uploading.Dec()
	m.opened(name)
	u := source.Upload{Name: name, ContentType: req.header.Get("Content-Type"), Length: up.length, Peer: req.peer.String()}
	if up.ended {
		ctx = context.WithoutCancel(ctx) // who has sent all may go
	}
	err = m.source.Take(ctx, u, io.MultiReader(bytes.NewReader(first[:n]), up))
	m.closed(name, err)
	if err != nil {
		return nil, m.sourceError(err)
	}
	up.done()
	m.metrics.uploadComplete.Inc()
	return uploaded(http.StatusCreated, req), nil
}

// sourceError tells an upload that broke off from an output that failed. Both are
// in the log, with the output's name.
func (m *mount) sourceError(err error) error {
	m.metrics.uploadFailed.Inc()
	if errors.Is(err, source.ErrClosed) {
		return closing(segstore.ErrClosed)
	}
	var body *source.BodyError
	if errors.As(err, &body) {
		e := uploadFailure(&m.cfg, body.Err)
		e.logged = true
		return e
	}
	e := fail(http.StatusBadGateway, "The output of this mount failed; the server's log says why.")
	switch {
	case errors.Is(err, source.ErrName):
		e = fail(http.StatusBadRequest, "The path is not a usable file name.")
	case errors.Is(err, source.ErrBusy):
		e = fail(http.StatusServiceUnavailable, "The output of this mount is busy with another upload.")
		e.header = http.Header{"Retry-After": {"1"}}
	}
	e.err, e.logged = err, !errors.Is(err, source.ErrName)
	return closing(e)
}
