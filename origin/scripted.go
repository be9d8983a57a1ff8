package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/headwater-origin/headwater/origin/script"
)

// openScript loads the script that sees each request first, if there is one.
func (s *Server) openScript() error {
	if s.cfg.JS == "" {
		return nil
	}
	engine, err := script.New(script.Options{Path: s.cfg.JS, Log: s.log})
	if err != nil {
		return fmt.Errorf("js: %w", err)
	}
	s.script = engine
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
		defer cancel()
		return engine.Close(ctx)
	})
	return nil
}

// scripted lets the script say what becomes of the request.
func (s *Server) scripted(ctx context.Context, req *request, m *mount, up *upload) (*reply, error) {
	a, err := s.script.Request(ctx, s.scriptRequest(ctx, req, m))
	if err != nil {
		return nil, scriptError(err)
	}
	var rep *reply
	switch {
	case a.Reply == 0 && a.HasBody:
		rep, err = s.namedFile(ctx, req, m, a.Body)
	case a.Reply == 0:
		rep, err = s.unscripted(ctx, req, m, up)
	default:
		rep, err = s.scriptReply(ctx, req, m, a, up)
	}
	if err != nil {
		e := *asHTTPError(err)
		e.script = a
		return nil, &e
	}
	rep.script = a
	if rep.body != nil && a.Throttle != nil && req.method != http.MethodHead {
		rep.body = slowed(rep.body, a, min(int64(s.cfg.BlockSize), scriptPiece))
	}
	return rep, nil
}

// scriptRequest is what the script is told of a request. auth_code tells of
// reading, whatever the method, as httpout's does.
func (s *Server) scriptRequest(ctx context.Context, req *request, m *mount) script.Request {
	out := script.Request{
		Method: req.method, URL: req.target(), AuthCode: http.StatusOK, TLS: req.tls, NetID: req.conn,
		IP: req.peer.String(), Port: int(req.port), Headers: []script.Header{{Name: "Host", Value: req.host}},
	}
	for name, values := range req.header {
		for _, v := range values {
			out.Headers = append(out.Headers, script.Header{Name: name, Value: v})
		}
	}
	if m == nil {
		return out
	}
	if err := m.mayRead(ctx, req, m.nameOf(req)); err != nil {
		out.AuthCode = asHTTPError(err).status
	}
	return out
}

// scriptReply is a reply that the script makes itself.
func (s *Server) scriptReply(ctx context.Context, req *request, m *mount, a *script.Answer, up *upload) (*reply, error) {
	if a.Reply < 200 || a.Reply > 599 {
		return nil, scriptError(fmt.Errorf("%d is not a status that a reply can have", a.Reply))
	}
	if a.Reply < 300 && (req.method == http.MethodPut || req.method == http.MethodPost) {
		if err := s.scriptUpload(ctx, m, a, up); err != nil {
			return nil, err
		}
	}
	rep := newReply(a.Reply)
	rep.kind = kindError // not to be kept, unless the script says otherwise
	switch {
	case a.Reply == http.StatusNoContent || a.Reply == http.StatusNotModified:
	case a.Read != nil && a.Reply < 300:
		rep.body = scriptStream(a)
	case a.HasBody:
		rep.body = bytesBody(a.Body)
	}
	return rep, nil
}

// scriptUpload gives the body of the request to the script, to its end.
func (s *Server) scriptUpload(ctx context.Context, m *mount, a *script.Answer, up *upload) error {
	if a.Write == nil {
		return scriptError(errors.New("it answers an upload and has set no write"))
	}
	up.stall = time.Duration(DefaultMount().UploadTimeout)
	if m != nil {
		up.limit, up.stall = int64(m.cfg.MaxUpload), m.uploadStall()
	}
	buf := make([]byte, scriptPiece)
	for !up.ended {
		n, err := up.Read(buf)
		if n > 0 {
			if err := a.Write(ctx, buf[:n]); err != nil {
				return closing(scriptError(err))
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return s.brokenUpload(m, err)
		}
	}
	up.done()
	if err := a.Write(ctx, nil); err != nil {
		return scriptError(err)
	}
	return nil
}

// brokenUpload is mount.uploadError where there may be no mount.
func (s *Server) brokenUpload(m *mount, err error) error {
	if m != nil {
		return m.uploadError(err)
	}
	e := fail(http.StatusBadRequest, "The upload broke off.")
	e.err = err
	return closing(e)
}

// scriptPiece is the most that a script gets, or gives, at a time.
const scriptPiece = 32 << 10

// scriptStream is content that the script makes while it is sent.
func scriptStream(a *script.Answer) *streamBody {
	buf := make([]byte, scriptPiece)
	return &streamBody{size: announced(a.Headers), done: func() {}, next: func(ctx context.Context, dst [][]byte) ([][]byte, error) {
		n, err := a.Read(ctx, buf)
		if n > 0 {
			dst = append(dst, buf[:n])
		}
		return dst, err
	}}
}

// announced returns the Content-Length that the script gives, or -1.
func announced(headers []script.Header) int64 {
	for _, h := range headers {
		if n, err := strconv.ParseInt(h.Value, 10, 64); err == nil && n >= 0 && strings.EqualFold(h.Name, "Content-Length") {
			return n
		}
	}
	return -1
}

// addScriptHeaders adds what the script gives. In a reply of the server's own, what
// the server has set stays.
func addScriptHeaders(rep *reply) {
	if rep.script == nil {
		return
	}
	own := rep.script.Reply != 0
	for _, add := range rep.script.Headers {
		name := http.CanonicalHeaderKey(add.Name)
		valid := httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(add.Value)
		if !valid || slices.Contains(framingHeaders, strings.ToLower(name)) {
			continue
		}
		if _, there := rep.header[name]; own || !there {
			rep.header.Set(name, add.Value)
		}
	}
}

// scriptError is what the client is told of a script that failed.
func scriptError(err error) *httpError {
	e := fail(http.StatusInternalServerError, "The server's script failed; its log says why.")
	if errors.Is(err, script.ErrBusy) || errors.Is(err, script.ErrStopped) {
		e = fail(http.StatusServiceUnavailable, "The server's script has too much to do.")
		e.header = http.Header{"Retry-After": {"1"}}
	}
	if errors.Is(err, context.Canceled) {
		e = fail(statusGone, "The client went away.")
	}
	e.err = fmt.Errorf("script: %w", err)
	return e
}
