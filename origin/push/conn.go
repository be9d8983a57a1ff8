package push

import (
	"context"
	"crypto/tls"
	"net"
)

// conn is a connection that tells when it is closed. A request over HTTP/1.1
// whose connection breaks does not return before the read of its body does;
// and that may be waiting for a source that has nothing to give.
type conn struct {
	net.Conn
	open   context.Context
	closed context.CancelFunc
}

func newConn(c net.Conn) *conn {
	n := &conn{Conn: c}
	n.open, n.closed = context.WithCancel(context.Background())
	return n
}

// Close closes the connection.
func (c *conn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// connUnder returns the conn of a connection that may be TLS, or nil.
func connUnder(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	n, _ := c.(*conn)
	return n
}
