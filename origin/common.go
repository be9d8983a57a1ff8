package origin

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// setCommon sets the headers that every reply has. What the operator gives in
// hdrs comes last and stays, whatever else would stand there.
func (s *Server) setCommon(req *request, rep *reply) {
	rep.header.Set("Server", s.cfg.UserAgent)
	if s.cfg.ServerUTC {
		rep.header.Set("Server-UTC", strconv.FormatInt(time.Now().UnixMilli(), 10))
	}
	if s.cfg.Close {
		rep.last = true
	}
	s.announceH3(rep.header, req.tls)
}

// setCommon sets the headers that every reply of the mount has.
func (m *mount) setCommon(req *request, rep *reply) {
	m.caching.set(rep.header, rep.kind)
	if req.user != "" {
		keepPrivate(rep.header)
	}
	m.setCORS(req, rep.header)
	if m.cfg.CacheControl.All == NoCacheControl {
		rep.header.Del("ETag")
		rep.header.Del("Last-Modified")
	}
}

// keepPrivate lets nobody but the client keep what was given for a password.
func keepPrivate(h http.Header) {
	if v := h.Get("Cache-Control"); strings.Contains(v, "public") {
		h.Set("Cache-Control", strings.Replace(v, "public", "private", 1))
	}
}

// setHeaders sets name, value, name, value.
func setHeaders(h http.Header, list []string) {
	for i := 0; i+1 < len(list); i += 2 {
		h.Set(list[i], list[i+1])
	}
}
