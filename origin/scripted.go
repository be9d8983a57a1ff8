package origin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
	if len(req.target()) > longestTarget {
		return nil, closing(fail(http.StatusRequestURITooLong, "The URL is too long."))
	}
	asked, err := s.scriptRequest(ctx, req, m)
	if err != nil {
		return nil, err
	}
	a, err := s.script.Request(ctx, asked)
	if err != nil {
		return nil, scriptError(err)
	}
	var rep *reply
	switch {
	case a.Reply == 0 && a.HasBody && (req.method == http.MethodGet || req.method == http.MethodHead):
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
// reading, whatever the method, as httpout's does. It is an error if that cannot
// be told now: a script must not take it for leave.
func (s *Server) scriptRequest(ctx context.Context, req *request, m *mount) (script.Request, error) {
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
		return out, nil
	}
	if err := m.mayRead(ctx, req, m.nameOf(req)); err != nil {
		e := asHTTPError(err)
		if e.status >= http.StatusInternalServerError {
			return out, e
		}
		out.AuthCode = e.status
	}
	return out, nil
}

// longestTarget is how long a URL, decoded, may be for a script to see it.
const longestTarget = 64 << 10

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
	rep.byScript = true
	rep.kind = kindError // not to be kept, unless the script says otherwise
	switch {
	case a.Reply == http.StatusNoContent, a.Reply == http.StatusResetContent, a.Reply == http.StatusNotModified:
	case a.Read != nil && a.Reply < 300:
		rep.body = s.scriptStream(req, a)
	case a.HasBody:
		rep.body = bytesBody(a.Body)
	case req.method == http.MethodHead && a.Reply < 300: // a script sets no read for it, so that to GET may have any length
		rep.body = &streamBody{size: announced(a.Headers), done: func() {}}
	}
	return rep, nil
}

// addScriptHeaders adds what the script gives. In a reply of the server's own, what
// the server has set stays. A name that it gives several times is there as often.
func addScriptHeaders(rep *reply) {
	if rep.script == nil {
		return
	}
	own := rep.byScript
	given := make(map[string]bool)
	for _, add := range rep.script.Headers {
		name := http.CanonicalHeaderKey(add.Name)
		valid := httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(add.Value)
		if !valid || slices.Contains(framingHeaders, strings.ToLower(name)) && (!own || name != "Content-Range") {
			continue
		}
		_, there := rep.header[name]
		switch {
		case given[name]:
			rep.header.Add(name, add.Value)
		case own || !there:
			rep.header.Set(name, add.Value)
			given[name] = true
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
	e.logged = errors.Is(err, script.ErrScript) || errors.Is(err, script.ErrTime) || errors.Is(err, script.ErrMemory) // by the engine, and where
	return e
}
