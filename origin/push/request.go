package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/mediatype"
)

// url returns where the name goes. A server takes .. for the way up whether it
// is escaped or not, so a name must not have it.
func (c *Client) url(name string) (*url.URL, error) {
	u := *c.base
	if c.to.Exact {
		return &u, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return nil, nameError(name)
		}
	}
	// What is escaped in the URL that was given stays so.
	u.RawPath = strings.TrimRight(u.EscapedPath(), "/") + "/" + (&url.URL{Path: name}).EscapedPath()
	u.Path = strings.TrimRight(u.Path, "/") + "/" + name
	return &u, nil
}

// isOwn says that the URL is at the destination's own host, which alone gets
// its credentials.
func (c *Client) isOwn(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// redirect returns where a redirect leads. From TLS none leads to where there
// is none.
func redirect(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	switch {
	case err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http":
		return nil, errBadRedirect
	case from.Scheme == "https" && to.Scheme == "http":
		return nil, errPlainRedirect
	}
	to.User, to.Fragment = nil, ""
	return to, nil
}

// request makes the request. b is nil for one without a body.
func (c *Client) request(ctx context.Context, m *message, to *url.URL, b *body) (*http.Request, error) {
	method := http.MethodPut
	switch {
	case m.delete:
		method = http.MethodDelete
	case c.to.Post:
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.to.UserAgent)
	req.Header.Set("DASH-IF-Ingest", "1.1")
	if b != nil {
		req.Body, req.ContentLength = b, m.length
		req.Header.Set("Content-Type", mediatype.Of(m.name, m.contentType))
		if m.length == 0 {
			req.Body = http.NoBody
			b.err = io.EOF
		}
		if (m.expect || c.redirects.Load() && c.isOwn(to)) && m.length != 0 && !c.noContinue.Load() {
			req.Header.Set("Expect", "100-continue")
		}
	}
	c.setHeaders(req, c.isOwn(to))
	return req, nil
}

// setHeaders sets the destination's own headers. Credentials are for its own
// host only, not for one that it redirects to.
func (c *Client) setHeaders(req *http.Request, own bool) {
	switch {
	case !own:
	case c.to.User != "":
		req.SetBasicAuth(c.to.User, c.to.Password)
	case c.to.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+c.to.Bearer)
	}
	for _, h := range c.to.Hdrs {
		switch name := http.CanonicalHeaderKey(h[0]); {
		case name == "Host":
			if own {
				req.Host = h[1]
			}
		case own || name != "Authorization" && name != "Cookie":
			req.Header.Set(name, h[1])
		}
	}
}

// answer sends the request and reads its answer to the end.
func (c *Client) answer(req *http.Request) (*reply, error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, maxAnswer)
	if err != nil && !errors.Is(err, io.EOF) && resp.StatusCode/100 == 2 {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return &reply{resp}, nil
}

// reply is an answer; nil is none.
type reply struct{ *http.Response }

func (r *reply) asError() error {
	if r == nil || r.StatusCode/100 == 2 {
		return nil
	}
	e := &StatusError{Code: r.StatusCode, RetryAfter: parseRetryAfter(r.Header.Get("Retry-After"), time.Now())}
	if r.StatusCode == http.StatusTemporaryRedirect || r.StatusCode == http.StatusPermanentRedirect {
		e.Location = r.Header.Get("Location")
	}
	return e
}
