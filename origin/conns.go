package origin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
)

// connections counts the connections of the public listeners, all of them and
// by peer, from the moment they are accepted until they are closed, wherever
// they are meanwhile: with net/http, taken from it, or handed back to it.
type connections struct {
	most, mostPeer int   // 0: no bound; static
	proxies        Peers // whose connections are not counted by peer; static
	next           atomic.Int64

	mu    sync.Mutex          // guards the rest
	open  map[any]*connection // by the net.Conn or *quic.Conn
	peers map[netip.Addr]int  // connections, or requests that a proxy passed on
}

// connection is what the server knows of one.
type connection struct {
	id   int64 // unique in the process
	peer netip.Addr
	// over says which bound it is beyond, or is empty: its requests are
	// answered 503.
	over   string
	errors atomic.Int64 // refused requests in a row
}

type connectionKey struct{}

func newConnections(cfg *Config) *connections {
	proxies, err := ParsePeers(cfg.TrustedProxies)
	if err != nil {
		panic(err) // validated
	}
	return &connections{
		most: cfg.MaxConns, mostPeer: cfg.MaxPeerConns, proxies: proxies,
		open: make(map[any]*connection), peers: make(map[netip.Addr]int),
	}
}

// enter is a part of the server's http.Server.ConnContext. A connection that was
// handed back is the one it was.
func (cs *connections) enter(ctx context.Context, c net.Conn) context.Context {
	if again, ok := c.(*resumedConn); ok {
		return context.WithValue(ctx, connectionKey{}, again.info)
	}
	return context.WithValue(ctx, connectionKey{}, cs.add(bare(c), c.RemoteAddr()))
}

// enterQUIC is the http3.Server.ConnContext.
func (cs *connections) enterQUIC(ctx context.Context, c *quic.Conn) context.Context {
	known := cs.add(c, c.RemoteAddr())
	context.AfterFunc(c.Context(), func() { cs.forget(c) })
	return context.WithValue(ctx, connectionKey{}, known)
}

// add counts a connection, and says of it whether it is beyond a bound.
func (cs *connections) add(key any, addr net.Addr) *connection {
	known := &connection{id: cs.next.Add(1)}
	if ap, err := netip.ParseAddrPort(addr.String()); err == nil {
		known.peer = ap.Addr().Unmap().WithZone("")
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[key] = known
	counted := known.peer.IsValid() && !cs.proxies.Contains(known.peer)
	if counted {
		cs.peers[known.peer]++
	}
	switch {
	case cs.most > 0 && len(cs.open) > cs.most:
		known.over = "maxc"
	case counted && cs.mostPeer > 0 && cs.peers[known.peer] > cs.mostPeer:
		known.over = "maxp"
	}
	return known
}

// observe is a part of the server's http.Server.ConnState.
func (cs *connections) observe(c net.Conn, state http.ConnState) {
	if state == http.StateClosed {
		cs.leave(c)
	}
}

// leave forgets a connection that was closed.
func (cs *connections) leave(c net.Conn) { cs.forget(bare(c)) }

func (cs *connections) forget(key any) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	known := cs.open[key]
	if known == nil {
		return
	}
	delete(cs.open, key)
	if !cs.proxies.Contains(known.peer) {
		cs.release(known.peer)
	}
}

// release counts one less of a peer. cs.mu is held.
func (cs *connections) release(peer netip.Addr) {
	cs.peers[peer]--
	if cs.peers[peer] <= 0 {
		delete(cs.peers, peer)
	}
}

// passedOn counts a request that a proxy passed on for the client, and says
// whether the client may have one more. done takes it off again.
func (cs *connections) passedOn(client netip.Addr) (ok bool, done func()) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.mostPeer > 0 && cs.peers[client] >= cs.mostPeer {
		return false, func() {}
	}
	cs.peers[client]++
	return true, func() {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		cs.release(client)
	}
}

// bare returns the TCP connection beneath TLS, and beneath what was handed back.
func bare(c net.Conn) net.Conn {
	switch c := c.(type) {
	case *tls.Conn:
		return c.NetConn()
	case *resumedConn:
		return c.TCPConn
	}
	return c
}

// connectionOf returns what is known of a request's connection.
func connectionOf(ctx context.Context) *connection {
	return ctx.Value(connectionKey{}).(*connection)
}
