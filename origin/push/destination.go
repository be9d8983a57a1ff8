package push

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Defaults of a Destination.
const (
	DefaultTimeout    = 10 * time.Second
	DefaultMaxBehind  = 3
	DefaultMaxStreams = 64
	DefaultUserAgent  = "Headwater"
)

// Destination is a server that files go on to. Only URL must be set; what is
// zero has the default given here. Note that KA's default is up to the caller:
// httpout's is true.
type Destination struct {
	// URL is where files go: their names are put behind its path. A query stays
	// behind that. User information in it is taken for User and Password.
	URL string
	// Exact says that the URL names the file itself: names are not put behind
	// it. It is for a push of one file.
	Exact bool
	// Post sends POST and not PUT.
	Post bool
	// KA outlives failures. Without it a failure that one more attempt does not
	// mend ends Run with an error.
	KA bool
	// BlockIO delivers every file: none is skipped for being old, and Ready
	// holds up who feeds the source.
	BlockIO bool
	// Hdrs are further headers, name and value; they replace those of the same
	// name that a push sends of itself.
	Hdrs [][2]string
	// UserAgent is the User-Agent ("Headwater").
	UserAgent string
	// User and Password log in with Basic; Bearer is a token. At most one of
	// User and Bearer is set.
	User, Password, Bearer string
	// CertFile and KeyFile are the client's certificate (PEM), read anew for
	// each connection. CAFile are the authorities the server's certificate is
	// checked against (the system's).
	CertFile, KeyFile, CAFile string
	// Timeout ends a request that makes no progress for so long. Waiting for
	// the source does not count (10 s).
	Timeout time.Duration
	// MaxBehind is how many newer segments of its track an undelivered segment
	// may have before it is stale (3).
	MaxBehind int
	// MaxStreams is how many requests are under way at a time (64).
	MaxStreams int
}

// framingHeaders are those that a request's end depends on.
var framingHeaders = []string{"Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade", "Expect", "Te"}

// Validate returns an error of one line that says what is wrong.
func (d Destination) Validate() error {
	u, err := url.Parse(d.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not a URL such as http://host:8080/live", redacted(d.URL))
	}
	tls := d.CertFile != "" || d.CAFile != ""
	switch {
	case d.User == "" && d.Password != "":
		return errors.New("a password is given without a user")
	case d.Bearer != "" && (d.User != "" || u.User != nil):
		return errors.New("a bearer token cannot stand beside a user")
	case d.User != "" && u.User != nil:
		return errors.New("the URL names a user already")
	case strings.Contains(d.User, ":"):
		return fmt.Errorf("user %q: a colon cannot be sent", d.User)
	case !httpguts.ValidHeaderFieldValue(d.Bearer):
		return errors.New("the bearer token has a control character in it")
	case !httpguts.ValidHeaderFieldValue(d.UserAgent):
		return fmt.Errorf("user agent %q has a control character in it", d.UserAgent)
	case (d.CertFile == "") != (d.KeyFile == ""):
		return errors.New("a certificate and its key stand together")
	case tls && u.Scheme != "https":
		return errors.New("certificates are for https only")
	case d.Timeout < 0 || d.MaxBehind < 0 || d.MaxStreams < 0:
		return errors.New("timeout, max behind and max streams cannot be negative")
	}
	return checkHeaders(d.Hdrs)
}

func checkHeaders(hdrs [][2]string) error {
	for _, h := range hdrs {
		switch {
		case !httpguts.ValidHeaderFieldName(h[0]):
			return fmt.Errorf("%q is not the name of a header", h[0])
		case !httpguts.ValidHeaderFieldValue(h[1]):
			return fmt.Errorf("header %s: %q has a control character in it", h[0], h[1])
		case slices.Contains(framingHeaders, http.CanonicalHeaderKey(h[0])):
			return fmt.Errorf("header %s cannot be set: it says where a request ends", h[0])
		}
	}
	return nil
}

func (d *Destination) setDefaults() {
	if d.UserAgent == "" {
		d.UserAgent = DefaultUserAgent
	}
	if d.Timeout == 0 {
		d.Timeout = DefaultTimeout
	}
	if d.MaxBehind == 0 {
		d.MaxBehind = DefaultMaxBehind
	}
	if d.MaxStreams == 0 {
		d.MaxStreams = DefaultMaxStreams
	}
}

// redacted returns the URL for logs: neither password nor query, which may hold
// a token.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the text given"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
