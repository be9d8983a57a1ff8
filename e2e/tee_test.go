package e2e

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// tee stands between an encoder and the origin: it passes every byte on
// unchanged, both ways, and reads its own copy of them, so that what was sent,
// and when, is known without asking the origin. Its address stays the same when
// the origin behind it is replaced.
type tee struct {
	lis net.Listener
	wg  sync.WaitGroup

	mu       sync.Mutex
	target   string            // guarded by mu; host:port of the origin
	conns    map[net.Conn]bool // guarded by mu; every open socket, both sides
	uploads  []*upload         // guarded by mu, contents too
	statuses []int             // guarded by mu; final statuses, in the order they came
	errs     []error           // guarded by mu; what could not be read as HTTP
	closed   bool              // guarded by mu
}

// newTee starts a relay to target that ends with the test.
func newTee(t *testing.T, target string) *tee {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tee{lis: lis, target: target, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// url is where the encoder sends path.
func (p *tee) url(path string) string { return "http://" + p.lis.Addr().String() + path }

// setTarget makes the next connections go to another origin.
func (p *tee) setTarget(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

func (p *tee) close() {
	_ = p.lis.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// accept takes one connection after another and dials the origin for each before
// it takes the next. Encoders that use a connection per file send a manifest
// twice within a millisecond; the origin must meet these connections in the order
// in which they were made, as it would without a relay.
func (p *tee) accept() {
	for {
		c, err := p.lis.Accept()
		if err != nil {
			return
		}
		enc, at := c.(*net.TCPConn), time.Now()
		if !p.own(enc) {
			_ = enc.Close()
			return
		}
		org, err := p.dial()
		if err != nil {
			_ = enc.SetLinger(0) // the origin is away: refuse, as its own port would
			p.drop(enc)
			continue
		}
		p.wg.Go(func() { p.relay(enc, org, at) })
	}
}

// dial connects to the origin of the moment.
func (p *tee) dial() (*net.TCPConn, error) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	c, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if !p.own(c) {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	return c.(*net.TCPConn), nil
}

// own notes a socket so that close finds it; false when close came first.
func (p *tee) own(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.conns[c] = true
	}
	return !p.closed
}

func (p *tee) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// relay joins an encoder's connection, made at a point in time, to its own one
// to the origin.
func (p *tee) relay(enc, org *net.TCPConn, made time.Time) {
	defer p.drop(enc)
	defer p.drop(org)
	var both sync.WaitGroup
	both.Go(func() { pass(org, enc, made, p.readRequests) })
	both.Go(func() { pass(enc, org, made, p.readReplies) })
	both.Wait()
}

// pass copies src to dst and each piece to the reader of the copy; it hands on
// how src ended: a reset as a reset, an end as an end.
func pass(dst, src *net.TCPConn, made time.Time, reader func(*noted)) {
	n := &noted{pieces: make(chan stamped, 1024), made: made}
	read := make(chan struct{})
	go func() {
		defer close(read)
		reader(n)
		for range n.pieces { // an unreadable copy must not hold up the bytes
		}
	}()
	err := copyNoting(dst, src, n.pieces)
	close(n.pieces)
	<-read
	if err != nil {
		_ = dst.SetLinger(0)
		_ = dst.Close()
		return
	}
	_ = dst.CloseWrite()
}

// copyNoting returns nil when src came to its end, and also when dst takes no
// more: then it is dst's own direction that tells how. A piece carries the time
// from before it was handed on, and is noted after, so that nothing seems sent
// before the origin could have it.
func copyNoting(dst io.Writer, src io.Reader, pieces chan<- stamped) error {
	for {
		buf := make([]byte, 16<<10)
		n, err := src.Read(buf)
		if n > 0 {
			p := stamped{data: buf[:n], at: time.Now()}
			if _, err := dst.Write(p.data); err != nil {
				return nil //nolint:nilerr // see above
			}
			pieces <- p
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
	}
}

type stamped struct {
	data []byte
	at   time.Time
}

// noted reads the copy of one direction of a connection. It is used by one
// goroutine.
type noted struct {
	pieces chan stamped
	made   time.Time // when the connection was made
	rest   []byte
	at     time.Time // when the relay had the bytes read last
}

func (n *noted) Read(b []byte) (int, error) {
	for len(n.rest) == 0 {
		p, ok := <-n.pieces
		if !ok {
			return 0, io.EOF
		}
		n.rest, n.at = p.data, p.at
	}
	k := copy(b, n.rest)
	n.rest = n.rest[k:]
	return k, nil
}
