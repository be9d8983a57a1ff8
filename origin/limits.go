package origin

import (
	"net/http"
	"net/netip"
	"strings"
)

// admitted is admitClient unless something is wrong with the request already.
func (s *Server) admitted(req *request, conn *connection, err error) (done func(), _ error) {
	if err != nil {
		return func() {}, err
	}
	return s.admitClient(req, conn)
}

// admitClient holds maxc and maxp. The error is a 503, and the connection that
// is beyond a bound closes with it. done is called when the request is over.
func (s *Server) admitClient(req *request, conn *connection) (done func(), err error) {
	done = func() {}
	if conn.over != "" {
		return done, s.overLimit(conn.over)
	}
	if s.conns.mostPeer == 0 || !req.forwarded {
		return done, nil
	}
	ok, done := s.conns.passedOn(req.peer)
	if !ok {
		return done, s.overLimit("maxp")
	}
	return done, nil
}

func (s *Server) overLimit(key string) error {
	e := fail(http.StatusServiceUnavailable, "Too many connections: %s of the server bounds them.", key)
	e.header = http.Header{"Retry-After": {"2"}}
	e.close = true
	return e
}

// forwardedFor returns the client that a trusted proxy speaks for: the last
// address of X-Forwarded-For that is no trusted proxy itself.
func (cs *connections) forwardedFor(peer netip.Addr, h http.Header) (client netip.Addr, ok bool) {
	if len(cs.proxies.prefixes) == 0 || !cs.proxies.Contains(peer) {
		return peer, false
	}
	hops := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client, ok = addr.Unmap().WithZone(""), true
		if !cs.proxies.Contains(client) {
			break
		}
	}
	if !ok {
		return peer, false
	}
	return client, true
}

// countErrors closes an HTTP/1.1 connection after too many refused requests in
// a row. What is still to come, or was, is not the client's error.
func (s *Server) countErrors(conn *connection, req *request, rep *reply) {
	if s.cfg.MaxClientErrors == 0 || req.method == http.MethodOptions {
		return
	}
	if rep.status < 400 || rep.status >= 500 || rep.kind == kindFuture || rep.kind == kindEvicted {
		conn.errors.Store(0)
		return
	}
	if conn.errors.Add(1) >= int64(s.cfg.MaxClientErrors) {
		rep.last = true
	}
}
