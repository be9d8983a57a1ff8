package origin

import (
	"net/http"
	"strings"
)

const (
	allowRead      = "GET, HEAD, OPTIONS"
	allowWrite     = "GET, HEAD, OPTIONS, PUT, POST, DELETE"
	allowWriteOnly = "OPTIONS, PUT, POST, DELETE"
)

// setCORS lets any page read the reply. It is on by default, for every request:
// a header that depends on Origin would need Vary: Origin, and caches keep such
// replies badly or not at all. With "auto" it is sent, as httpout does, only to
// who sends an Origin.
func (m *mount) setCORS(req *request, h http.Header) {
	switch m.cfg.CORS {
	case CORSOff:
		return
	case CORSAuto:
		h.Add("Vary", "Origin")
		if req.header.Get("Origin") == "" {
			return
		}
	case CORSOn:
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "*")
	h.Set("Timing-Allow-Origin", "*")
}

// options answers OPTIONS: for a preflight (Fetch standard, section 4.8) as for
// any other, for names that do not exist yet too, since the first upload of
// every name needs that.
func (m *mount) options(req *request) *reply {
	r := newReply(http.StatusNoContent)
	r.header.Set("Allow", m.allowed())
	if req.header.Get("Access-Control-Request-Method") == "" || m.cfg.CORS == CORSOff {
		return r
	}
	methods := allowRead
	if m.cfg.Write && m.takesPages(m.rights(strings.TrimPrefix(strings.TrimPrefix(req.path, m.cfg.Path), "/")), http.MethodPut) {
		methods = m.allowed()
	}
	r.header.Set("Access-Control-Allow-Methods", methods)
	allow := "*"
	if asked := req.header.Get("Access-Control-Request-Headers"); asked != "" {
		allow = asked // "*" does not cover Authorization
	}
	r.header.Set("Access-Control-Allow-Headers", allow)
	r.header.Set("Access-Control-Max-Age", "86400")
	r.header.Add("Vary", "Access-Control-Request-Headers")
	return r
}

func (m *mount) allowed() string {
	switch {
	case !m.cfg.Write:
		return allowRead
	case !m.cfg.Read:
		return allowWriteOnly
	}
	return allowWrite
}
