package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
	"github.com/headwater-origin/headwater/origin/relay"
	"github.com/headwater-origin/headwater/segstore"
)

// newRelay returns the relay of the mount, or nil.
func newRelay(cfg *Mount, m *mount) (*relay.Relay, error) {
	c := &cfg.Relay
	if c.Input == "" {
		return nil, nil
	}
	in, err := inputOf(c.Input)
	if err != nil {
		return nil, fmt.Errorf("mount %s: relay.input: %w", cfg.Path, err)
	}
	name := cfg.Path
	if cfg.Ext != "" {
		name = "stream." + cfg.Ext
	}
	return relay.New(relay.Options{
		Hold: c.Hold, Reopen: c.Reopen, Loop: c.Loop, BlockIO: cfg.BlockIO, MaxAsyncBuf: int64(c.MaxAsyncBuf),
		Pace: c.Rate > 0, Rate: int64(c.Rate), ContentType: cfg.MIME, Name: path.Base(name), Title: c.Title, Log: m.log,
		Received: func(n int) { m.metrics.ingestBytes.Add(float64(n)) },
	}, in), nil
}

// relayed answers a request for the stream.
func (m *mount) relayed(ctx context.Context, req *request, name string, up *upload) (*reply, error) {
	if name != "" || req.dir {
		return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
	}
	switch req.method {
	case http.MethodGet:
		return m.listen(ctx, req)
	case http.MethodHead:
		select {
		case <-m.relay.Done():
			return nil, streamOver()
		default:
		}
		r := m.liveReply(req)
		r.body = &streamBody{size: -1, done: func() {}} // no length is told, as none is to GET
		return r, nil
	case http.MethodPut, http.MethodPost:
		return m.feed(ctx, req, up)
	}
	e := fail(http.StatusMethodNotAllowed, "A stream that is relayed cannot be deleted.")
	e.header = http.Header{"Allow": {m.allowed()}}
	return nil, e
}

// listen joins the stream. It begins with whatever is due, and ends when the
// input does, or when the viewer is too slow.
func (m *mount) listen(ctx context.Context, req *request) (*reply, error) {
	l, err := m.relay.Join(ctx)
	if errors.Is(err, relay.ErrOver) {
		return nil, streamOver()
	}
	if err != nil {
		return nil, err
	}
	m.metrics.viewers.Inc()
	m.awaitInfo(ctx)
	r := m.liveReply(req)
	var icy *relay.ICY
	if r.header.Get("Icy-Metaint") != "" {
		icy = relay.NewICY(int(m.cfg.Relay.MetaInt), m.relay.Title)
	}
	next := func(ctx context.Context, dst [][]byte) ([][]byte, error) {
		if icy == nil {
			return l.Next(ctx, dst)
		}
		media, err := l.Next(ctx, nil)
		return icy.Insert(dst, media), err
	}
	r.body = &streamBody{size: -1, onCut: l.OnCut, next: func(ctx context.Context, dst [][]byte) ([][]byte, error) {
		dst, err := next(ctx, dst)
		if errors.Is(err, relay.ErrSlow) {
			m.metrics.cut[cutLag].Inc()
		}
		return dst, err
	}, done: func() {
		m.metrics.viewers.Dec()
		l.Close()
	}}
	return r, nil
}

// streamOver is the answer to who comes when nothing follows.
func streamOver() error {
	e := fail(http.StatusNotFound, "The stream is no longer available.")
	e.kind = kindFuture
	return e
}

// infoWait is how long a reply's head waits for an input that has just been
// opened, for its sake, to say what it is.
const infoWait = 500 * time.Millisecond

// awaitInfo waits for what the headers are to say, unless they say it all
// without.
func (m *mount) awaitInfo(ctx context.Context) {
	if named := m.cfg.MIME != "" || m.cfg.Ext != "" || path.Ext(m.cfg.Path) != ""; named && !m.cfg.Relay.Ice {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, infoWait)
	defer cancel()
	m.relay.AwaitInfo(ctx)
}

// liveReply is the reply without its body.
func (m *mount) liveReply(req *request) *reply {
	info := m.relay.Info()
	r := newReply(http.StatusOK)
	r.kind = kindRelay
	r.header.Set("Content-Type", m.liveType(info))
	r.header.Set("Accept-Ranges", "none")
	r.header.Set("X-Content-Type-Options", "nosniff")
	if m.cfg.Relay.Ice {
		m.setIce(r.header, info)
	}
	setHeaders(r.header, m.cfg.Relay.IceHeaders)
	if req.header.Get("Icy-MetaData") == "1" {
		r.header.Set("Icy-Metaint", strconv.FormatInt(int64(m.cfg.Relay.MetaInt), 10))
	}
	return r
}

func (m *mount) liveType(info relay.Info) string {
	switch {
	case m.cfg.MIME != "":
		return m.cfg.MIME
	case info.ContentType != "":
		return info.ContentType
	case m.cfg.Ext != "":
		return contentType("stream."+m.cfg.Ext, "")
	case info.Format != framing.Raw:
		return info.Format.ContentType()
	}
	return contentType(m.cfg.Path, "")
}

// setIce sets the headers that Icecast players look at. Icy-Br is in kbit/s, as
// these have it; httpout sends bits.
func (m *mount) setIce(h http.Header, info relay.Info) {
	h.Set("Icy-Pub", "1")
	if m.cfg.Relay.Title != "" {
		h.Set("Icy-Name", m.cfg.Relay.Title)
	}
	if info.BitRate > 0 {
		h.Set("Icy-Br", strconv.Itoa((info.BitRate+500)/1000))
	}
	if info.SampleRate > 0 {
		h.Set("Ice-Audio-Info", fmt.Sprintf("samplerate=%d;channels=%d;bitrate=%d", info.SampleRate, info.Channels, info.BitRate))
	}
	if info.Width > 0 {
		h.Set("Ice-Video-Info", fmt.Sprintf("width=%d;height=%d", info.Width, info.Height))
	}
}

// feed lets an upload be the input of the relay, until it ends.
func (m *mount) feed(ctx context.Context, req *request, up *upload) (*reply, error) {
	if err := m.mayWrite(ctx, req, ""); err != nil {
		return nil, closing(err)
	}
	up.stall = m.uploadStall()
	up.received.counter = m.metrics.ingestBytes
	defer up.received.flush()
	m.metrics.uploading.Inc()
	defer m.metrics.uploading.Dec()
	err := m.relay.Feed(ctx, up, req.header.Get("Content-Type"))
	switch {
	case errors.Is(err, relay.ErrBusy):
		e := fail(http.StatusConflict, "Another upload feeds this stream.")
		e.header = http.Header{"Retry-After": {"1"}}
		return nil, closing(e)
	case errors.Is(err, relay.ErrNotFed):
		return nil, closing(notWritable())
	case errors.Is(err, relay.ErrOver):
		return nil, closing(fail(http.StatusServiceUnavailable, "The stream is over."))
	case err != nil && !errors.Is(err, io.EOF):
		return nil, m.uploadError(err)
	}
	up.done()
	m.metrics.uploadComplete.Inc()
	return uploaded(http.StatusOK, req), nil
}

// inputPut is the Relay.Input of a stream that is uploaded.
const inputPut = "put"

func inputOf(text string) (relay.Input, error) {
	if text == inputPut {
		return nil, nil //nolint:nilnil // a relay without an input is fed
	}
	return relay.ParseInput(text)
}
