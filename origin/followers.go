package origin

import (
	"context"
	"sync"
	"sync/atomic"
)

// followers counts the transfers on connections taken from net/http, which
// http.Server.Shutdown does not know.
type followers struct {
	mu       sync.Mutex // guards stopping, and enter against wait
	stopping bool
	all      sync.WaitGroup
	now      atomic.Int64
}

// enter counts one more, unless the server is stopping.
func (f *followers) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping {
		return false
	}
	f.all.Add(1)
	f.now.Add(1)
	return true
}

func (f *followers) leave() {
	f.now.Add(-1)
	f.all.Done()
}

// wait refuses new ones and waits for those under way until ctx is done.
func (f *followers) wait(ctx context.Context) {
	f.mu.Lock()
	f.stopping = true
	f.mu.Unlock()
	done := make(chan struct{})
	go func() {
		f.all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
