package origin

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// handback is a listener whose connections are those that were taken from
// net/http and are done: net/http accepts them again and reads their next
// request.
type handback struct {
	timeout time.Duration // of idle connections; static
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once

	mu   sync.Mutex // guards idle
	idle map[net.Conn]struct{}
}

func newHandback(timeout time.Duration) *handback {
	return &handback{timeout: timeout, conns: make(chan net.Conn), done: make(chan struct{}), idle: make(map[net.Conn]struct{})}
}

// observe is the server's http.Server.ConnState. net/http takes a connection
// that was handed back for a new one, and would wait for its first request for
// some seconds when it shuts down.
func (h *handback) observe(c net.Conn, state http.ConnState) {
	if _, ours := c.(*resumedConn); !ours {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if state == http.StateNew {
		h.idle[c] = struct{}{}
	} else {
		delete(h.idle, c)
	}
}

// closeIdle closes the connections on which no next request has begun.
func (h *handback) closeIdle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.idle {
		_ = c.Close() // idle: nothing is lost
	}
}

// give hands a connection back. When the server stops it is closed.
func (h *handback) give(s bareSocket) {
	if err := s.conn.SetDeadline(time.Time{}); err != nil {
		s.close() // it is broken already
		return
	}
	select {
	case h.conns <- &resumedConn{TCPConn: s.conn, pre: s.pre, idle: h.timeout, info: s.info}:
	case <-h.done:
		s.close() // idle: nothing is lost
	}
}

// Accept implements net.Listener.
func (h *handback) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handback) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements net.Listener.
func (h *handback) Addr() net.Addr { return &net.TCPAddr{} }

// resumedConn is a connection that was handed back: what had been read too far
// is read first. It stays a TCPConn in all else.
type resumedConn struct {
	*net.TCPConn
	pre  []byte
	info *connection // static

	// net/http takes it for a new connection, whose first request must come
	// within ReadHeaderTimeout. It is an idle one: until its first byte it has
	// idle, 0 being no end.
	idle  time.Duration
	begun bool
}

// SetReadDeadline implements net.Conn.
func (c *resumedConn) SetReadDeadline(t time.Time) error {
	if c.begun {
		return c.TCPConn.SetReadDeadline(t)
	}
	c.begun = true
	if c.idle == 0 {
		return c.TCPConn.SetReadDeadline(time.Time{})
	}
	return c.TCPConn.SetReadDeadline(time.Now().Add(c.idle))
}

// Read implements net.Conn.
func (c *resumedConn) Read(p []byte) (int, error) {
	if len(c.pre) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.pre)
	if c.pre = c.pre[n:]; len(c.pre) == 0 {
		c.pre = nil
	}
	return n, nil
}
