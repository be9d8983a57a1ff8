package origin

import (
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// request is what is asked, free of any connection.
type request struct {
	method string
	path   string // decoded and clean, with a leading slash and none at the end
	dir    bool   // the path was written with a slash at its end
	header http.Header
	direct netip.Addr // who has made the connection
	peer   netip.Addr // who asks: the same, or the client that a trusted proxy names
	// forwarded says that a trusted proxy has named the peer.
	forwarded bool
	tls       bool
	host      string // of the request, with its port if that was given
	port      uint16 // of the connection's other end
	conn      int64  // the connection's number
	// clientCert says that the connection has shown a certificate of client_ca.
	clientCert bool
	// query is what follows the question mark.
	query string
	// user is who logged in, once that is known.
	user string
	// crossOrigin says that a browser sends it for a page of another origin.
	crossOrigin bool
	// unframed says that the client's protocol cannot tell a body of unknown
	// length that broke off from one that ended (HTTP/1.0).
	unframed bool
}

// cleanPath makes one slash of several and drops one at the end, so that an
// upload to //live//seg.m4s needs no redirect. A path that climbs is refused:
// dot segments are the client's to resolve (RFC 3986 section 5.2.4).
func cleanPath(p string) (clean string, dir bool, err error) {
	if !strings.HasPrefix(p, "/") {
		return "", false, fail(http.StatusBadRequest, "The request target must begin with a slash.")
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "." || part == ".." {
			return "", false, fail(http.StatusBadRequest, "The path must not have dot segments.")
		}
	}
	return path.Clean(p), len(p) > 1 && strings.HasSuffix(p, "/"), nil
}

// target returns the path and the query as a script sees them, decoded.
func (r *request) target() string {
	target := r.path
	if r.dir {
		target += "/"
	}
	if r.query == "" {
		return target
	}
	query, err := url.PathUnescape(r.query)
	if err != nil {
		query = r.query
	}
	return target + "?" + query
}

// writes says that the request is to change something. A preflight belongs to
// the request it asks for.
func (r *request) writes() bool {
	method := r.method
	if method == http.MethodOptions {
		method = r.header.Get("Access-Control-Request-Method")
	}
	switch method {
	case http.MethodPut, http.MethodPost, http.MethodDelete:
		return true
	}
	return false
}
