package e2e

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// upload is one request an encoder sent, as the tee read it. A copy made by
// snapshot doesn't change any more.
type upload struct {
	method, path string
	header       http.Header
	order        time.Time // connection made, if it is the first on it, else start
	start, end   time.Time // head read; last chunk read, zero until then
	body         []byte
	cut          bool // the connection ended before the body did
}

func (u *upload) complete() bool        { return !u.end.IsZero() && !u.cut }
func (u *upload) growing() bool         { return u.end.IsZero() && !u.cut }
func (u *upload) sum() [32]byte         { return sha256.Sum256(u.body) }
func (u *upload) lasted() time.Duration { return u.end.Sub(u.start) }

// readRequests reads an encoder's side of a connection.
func (p *tee) readRequests(r *noted) {
	br := bufio.NewReaderSize(r, 64<<10)
	for first := true; ; first = false {
		if _, err := br.Peek(1); err != nil {
			return
		}
		req, err := http.ReadRequest(br)
		if err != nil {
			p.note(err)
			return
		}
		u := &upload{method: req.Method, path: req.URL.Path, header: req.Header, start: r.at}
		if u.order = u.start; first {
			u.order = r.made
		}
		p.mu.Lock()
		p.uploads = append(p.uploads, u)
		slices.SortStableFunc(p.uploads, func(a, b *upload) int { return a.order.Compare(b.order) })
		p.mu.Unlock()
		if !p.readBody(u, req.Body, r) {
			return
		}
	}
}

// readBody appends to u what comes, and says whether the body came to its end.
func (p *tee) readBody(u *upload, body io.Reader, r *noted) bool {
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		p.mu.Lock()
		u.body = append(u.body, buf[:n]...)
		if err != nil {
			u.end, u.cut = r.at, !errors.Is(err, io.EOF)
		}
		p.mu.Unlock()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// readReplies reads the origin's side of a connection.
func (p *tee) readReplies(r *noted) {
	br := bufio.NewReaderSize(r, 4<<10)
	for {
		if _, err := br.Peek(1); err != nil {
			return
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			p.note(err)
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode >= 200 {
			p.mu.Lock()
			p.statuses = append(p.statuses, resp.StatusCode)
			p.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (p *tee) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

// snapshot copies the uploads for which keep holds, in the order in
// which the encoder sent them.
func (p *tee) snapshot(keep func(*upload) bool) []upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	var us []upload
	for _, u := range p.uploads {
		if keep(u) {
			c := *u
			c.body = slices.Clip(c.body)
			us = append(us, c)
		}
	}
	return us
}

// sent returns the complete PUTs of path, oldest first.
func (p *tee) sent(path string) []upload {
	return p.snapshot(func(u *upload) bool { return u.method != http.MethodDelete && u.path == path && u.complete() })
}

// waitGrowing waits until an upload of path has sent least bytes and is still
// going on, and returns it as it is then.
func (p *tee) waitGrowing(t *testing.T, path string, least int) upload {
	t.Helper()
	var us []upload
	eventually(t, "an upload of "+path+" in progress", func() bool {
		us = p.snapshot(func(u *upload) bool { return u.path == path && u.growing() && len(u.body) >= least })
		return len(us) > 0
	})
	return us[len(us)-1]
}

// waitSent waits until path was sent completely at least n times.
func (p *tee) waitSent(t *testing.T, path string, n int) {
	t.Helper()
	eventually(t, "a complete upload of "+path, func() bool { return len(p.sent(path)) >= n })
}

// mustBeAccepted fails the test when the origin refused anything, or when a
// side sent what is not HTTP.
func (p *tee) mustBeAccepted(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.statuses {
		if s >= 300 {
			t.Errorf("the origin answered the encoder with %d (all answers: %v)", s, p.statuses)
			return
		}
	}
	if len(p.errs) > 0 {
		t.Errorf("not readable as HTTP on the encoder's connections: %v", p.errs)
	}
}
