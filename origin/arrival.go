package origin

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// An encoder may send two versions of a manifest back to back, each on a
// connection of its own, and not wait for the first answer (ffmpeg does). Two
// goroutines then read the requests in any order, while connections are
// accepted in the order in which they were made. So a request that came
// together with its connection has the connection's place in the order of
// uploads.
//
// A connection that was opened ahead, and used when there was something to
// send, must not: its first request may be newer than all that came on others
// meanwhile. Such a request, like any later one, has the place of the moment.

// together is how long after its connection a request may come to count as
// sent with it.
const together = 20 * time.Millisecond

type arrivalKey struct{}

// connArrival is the place of a connection, for its first request.
type connArrival struct {
	conn net.Conn
	at   time.Time

	mu    sync.Mutex // guards place: HTTP/2 has many requests at a time
	place segstore.Arrival
}

// withArrival is the server's http.Server.ConnContext, which is called in the
// order of Accept. A connection that was handed back had its first request.
func withArrival(ctx context.Context, c net.Conn) context.Context {
	if _, again := c.(*resumedConn); again {
		return ctx
	}
	return context.WithValue(ctx, arrivalKey{}, &connArrival{conn: c, at: time.Now(), place: segstore.Arrive()})
}

// arrivalOf returns the place of a request in the order of uploads.
func arrivalOf(r *http.Request) segstore.Arrival {
	if a, ok := r.Context().Value(arrivalKey{}).(*connArrival); ok {
		if place := a.take(); place != 0 && a.lastData().Sub(a.at) <= together {
			return place
		}
	}
	return segstore.Arrive()
}

// take returns the place to the first who asks, and then 0.
func (a *connArrival) take() (place segstore.Arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	place, a.place = a.place, 0
	return place
}

// lastData returns when the last bytes of the connection came, as the kernel
// knows it: this process may have been busy elsewhere since.
func (a *connArrival) lastData() time.Time {
	conn := a.conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if quiet, ok := quietFor(tcp); ok {
			return time.Now().Add(-quiet)
		}
	}
	return time.Now()
}
