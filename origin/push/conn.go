package push

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// quietFor is how long a connection may have been quiet and yet be missed when
// the server closes it: who closes what nobody uses has lost nothing.
const quietFor = 20 * time.Second

// conn is a connection that tells when it is closed. A request over HTTP/1.1
// whose connection breaks does not return before the read of its body does;
// and that may be waiting for a source that has nothing to give.
//
// It tells missed when it was the server that closed it, though it was in use a
// moment ago. Of a server that restarts between two requests there is no other
// sign: the next request gets a new connection, and succeeds.
type conn struct {
	net.Conn
	open   context.Context
	closed context.CancelFunc
	missed func()       // nil: nobody asks
	once   sync.Once    // of missed
	used   atomic.Int64 // in nanoseconds since 1970
}

func newConn(c net.Conn, missed func()) *conn {
	n := &conn{Conn: c, missed: missed}
	n.open, n.closed = context.WithCancel(context.Background())
	n.use()
	return n
}

func (c *conn) use() { c.used.Store(time.Now().UnixNano()) }

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.use()
	}
	if err != nil && c.missed != nil && c.open.Err() == nil && !errors.Is(err, os.ErrDeadlineExceeded) &&
		time.Since(time.Unix(0, c.used.Load())) < quietFor {
		c.once.Do(c.missed)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.use()
	}
	return n, err
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
