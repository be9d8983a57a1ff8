package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// Bounds of a Client.
const (
	maxAnswer    = 64 << 10 // read of an answer, so that its connection can be used again
	maxRedirects = 5
	idleTimeout  = 90 * time.Second
	writeBuffer  = 64 << 10 // so that a chunk is one write
	// expectFrom is the length from which a server is asked beforehand whether
	// it wants the file. Growing files are never held up so.
	expectFrom = 1 << 20
)

// Client sends files to one destination. Its methods may be called from any
// goroutine.
type Client struct {
	// Static.
	to        Destination
	base      *url.URL // without user information
	transport *http.Transport
	missed    func() // told when the server closed a connection; may be nil

	redirects  atomic.Bool // a growing file was sent elsewhere once: it is asked beforehand
	noContinue atomic.Bool // the server does not take Expect
}

// NewClient returns a Client; it connects with the first request. The error
// says in one line what is wrong with the Destination.
func NewClient(d Destination) (*Client, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	d.setDefaults()
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		d.User = u.User.Username()
		d.Password, _ = u.User.Password()
		u.User = nil
	}
	u.Fragment = ""
	tlsCfg, err := tlsConfig(d)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: d.Timeout, Control: boundUnacked(d.Timeout)}
	c := &Client{to: d, base: u}
	c.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newConn(nc, c.missed), nil
		},
		TLSClientConfig:       tlsCfg,
		TLSHandshakeTimeout:   d.Timeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: d.Timeout, PingTimeout: d.Timeout},
		DisableCompression:    true,
		MaxIdleConnsPerHost:   d.MaxStreams,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       writeBuffer,
	}
	return c, nil
}

// Put sends the body under the name, chunked when length is negative. An empty
// contentType is that of the name's extension. The request is broken off, and a
// *SourceError returned, when the body's Read fails. An answer other than 2xx
// is a *StatusError, even when it came before the body's end. Redirects (307,
// 308) are followed only while nothing of the body was read. Put returns once
// the body is read no more, so a Read that blocks holds it up.
func (c *Client) Put(ctx context.Context, name, contentType string, length int64, r io.Reader) error {
	_, err := c.send(ctx, &message{
		name: name, contentType: contentType, length: length,
		src: &readerPieces{r: r}, expect: length >= expectFrom,
	})
	return err
}

// Delete removes the name. That there was no such file is no error.
func (c *Client) Delete(ctx context.Context, name string) error {
	_, err := c.send(ctx, &message{name: name, delete: true})
	var status *StatusError
	if errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusGone) {
		return nil
	}
	return err
}

// Close closes connections that are idle. Requests under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// message is a request to be sent.
type message struct {
	name, contentType string
	length            int64 // negative: chunked
	src               pieces
	expect            bool
	delete            bool
	at                string // where a redirect sent an earlier attempt, or ""
}

// sending is what became of a message, besides its error.
type sending struct {
	bytes  int64
	reused bool // the last connection had been used before
}

// send sends the message and follows redirects while nothing of its body was
// read.
func (c *Client) send(ctx context.Context, m *message) (sending, error) {
	to, err := c.url(m.name)
	if err != nil {
		return sending{}, wrapped(m, err)
	}
	if m.at != "" {
		if to, err = redirect(to, m.at); err != nil {
			return sending{}, wrapped(m, err)
		}
	}
	for hop := 0; ; hop++ {
		s, err := c.once(ctx, m, to)
		var status *StatusError
		if !errors.As(err, &status) {
			return s, wrapped(m, err)
		}
		if !c.isOwn(to) {
			status.at = to.Host
		}
		switch {
		case hop == maxRedirects:
			status.Location = "" // not to be followed any more
			return s, wrapped(m, err)
		case s.bytes == 0 && status.Code == http.StatusExpectationFailed && !c.noContinue.Swap(true):
			// RFC 9110, section 10.1.1: once more, without Expect.
		case s.bytes > 0 || status.Location == "":
			c.redirects.CompareAndSwap(false, status.Location != "")
			return s, wrapped(m, err)
		default:
			if to, err = redirect(to, status.Location); err != nil {
				return s, wrapped(m, err)
			}
		}
	}
}

func wrapped(m *message, err error) error {
	if err == nil {
		return nil
	}
	verb := "sending"
	if m.delete {
		verb = "deleting"
	}
	return fmt.Errorf("%s %s: %w", verb, m.name, err)
}

// once sends one request and returns once the source is read no more.
func (c *Client) once(ctx context.Context, m *message, to *url.URL) (s sending, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := newWatchdog(c.to.Timeout, cancel)
	defer watch.timer.Stop()
	var b *body
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		s.reused = i.Reused
		if b != nil {
			b.conn.Store(connUnder(i.Conn))
		}
	}})
	if !m.delete {
		b = newBody(ctx, m.src, watch)
	}
	req, err := c.request(ctx, m, to, b)
	if err != nil {
		return s, err
	}
	status, err := c.answer(req)
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), ErrStalled):
		err = ErrStalled
	case errors.Is(err, context.Canceled) && ctx.Err() == nil:
		err = errBroken // that ended the body, and not the other way round
	}
	if b == nil {
		return s, errors.Join(err, status.asError())
	}
	// Of what went wrong the server's answer tells most, then the source.
	sent, whole, srcErr := b.stop()
	s.bytes = sent
	switch refused := status.asError(); {
	case refused != nil:
		return s, refused
	case err != nil && srcErr != nil && ctx.Err() == nil:
		return s, &SourceError{srcErr}
	case err != nil:
		return s, err
	case !whole && sent != m.length:
		return s, ErrEarlyAnswer
	}
	return s, nil
}
