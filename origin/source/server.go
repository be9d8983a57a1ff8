package source

import (
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/headwater-origin/headwater/origin/push"
)

// errBrokenOff is the end of a body that broke off. It wraps nothing: no reason
// whatever may be taken for a clean end.
var errBrokenOff = errors.New("the upload broke off")

// server is another server.
type server struct {
	client *push.Client
	at     string // for logs
}

func newServer(opt *Options) (*server, error) {
	d := *opt.Push
	if d.Timeout == 0 {
		d.Timeout = opt.Timeout
	}
	client, err := push.NewClient(d)
	if err != nil {
		return nil, err
	}
	return &server{client: client, at: redacted(d.URL)}, nil
}

// redacted returns the URL without password and query, which may hold a token.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the URL given"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (o *server) name() string              { return o.at }
func (o *server) key(Upload) (string, bool) { return "", false }

func (o *server) close() error {
	o.client.Close()
	return nil
}

func (o *server) open(t *transfer) (sink, error) {
	s := &serverSink{t: t, done: make(chan struct{})}
	r, w := io.Pipe()
	s.to = w
	go func() {
		defer close(s.done)
		s.err = o.client.Put(t.ctx, t.u.Name, t.u.ContentType, t.u.Length, interruptible{r})
		if s.err != nil {
			t.fail(s.err)
		}
		_ = r.CloseWithError(push.ErrEarlyAnswer) // ends a Write
	}()
	return s, nil
}

// interruptible lets a Read of the pipe be given up.
type interruptible struct{ *io.PipeReader }

// SetReadDeadline ends the pipe when the deadline has passed.
func (p interruptible) SetReadDeadline(at time.Time) error {
	if !at.IsZero() && time.Now().After(at) {
		return p.CloseWithError(errBrokenOff)
	}
	return nil
}

// serverSink is the body of a request.
type serverSink struct {
	t    *transfer
	to   *io.PipeWriter
	done chan struct{} // closed once the request is over; err is set then
	err  error
}

func (s *serverSink) Write(p []byte) (int, error) {
	defer context.AfterFunc(s.t.ctx, func() { _ = s.to.CloseWithError(errBrokenOff) })()
	return s.to.Write(p)
}

// finish ends the body, and waits for the answer; the client bounds that.
func (s *serverSink) finish() error {
	_ = s.to.Close() // never fails
	<-s.done
	return s.err
}

func (s *serverSink) abort() {
	_ = s.to.CloseWithError(errBrokenOff) // never fails
	s.t.cancel(errBrokenOff)
	<-s.done
}
