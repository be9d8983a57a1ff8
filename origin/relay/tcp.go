package relay

import (
	"context"
	"io"
	"net"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// keepAlive finds a far end that vanished without a word within a minute.
	keepIdle, keepInterval, keepCount = 20 * time.Second, 10 * time.Second, 4
)

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepInterval, Count: keepCount}

// TCP is an input that connects to a server, and again when the connection ends.
type TCP struct{ Address string }

// Traits is Input.Traits.
func (t TCP) Traits() Traits {
	return Traits{Name: "tcp://" + t.Address, Again: Endlessly, Retry: true}
}

// Open connects.
func (t TCP) Open(ctx context.Context) (io.ReadCloser, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	return d.DialContext(ctx, "tcp", t.Address)
}

// TCPListen is an input that waits for a sender to connect. While one is there
// nobody else can.
type TCPListen struct {
	Address string
	bound   func(net.Addr) // for tests: told the address
}

// Traits is Input.Traits.
func (t *TCPListen) Traits() Traits {
	return Traits{Name: "tcp://" + t.Address + "?listen", Again: Endlessly, Retry: true, Waits: true}
}

// Open waits for a sender.
func (t *TCPListen) Open(ctx context.Context) (io.ReadCloser, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	ln, err := lc.Listen(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	if t.bound != nil {
		t.bound(ln.Addr())
	}
	conn, err := ln.Accept()
	if ctx.Err() != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, context.Cause(ctx)
	}
	return conn, err
}
