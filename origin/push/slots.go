package push

import (
	"context"
	"slices"
	"sync"
)

// rank is an upload's place in the queue for a request: lower goes first.
type rank struct {
	class int
	order int64
}

func (r rank) before(o rank) bool {
	return r.class < o.class || r.class == o.class && r.order < o.order
}

// slots bounds the requests under way. When they are scarce the best rank gets
// the next one.
type slots struct {
	mu      sync.Mutex // guards the rest
	free    int
	waiting []*waiter
}

type waiter struct {
	rank rank
	ok   chan struct{} // closed once the slot is the waiter's
}

// acquire waits for a slot, which release gives back.
func (s *slots) acquire(ctx context.Context, r rank) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	w := &waiter{rank: r, ok: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.ok:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	i := slices.Index(s.waiting, w)
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 { // it came all the same
		s.release()
	}
	return context.Cause(ctx)
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	best := 0
	for i, w := range s.waiting {
		if w.rank.before(s.waiting[best].rank) {
			best = i
		}
	}
	close(s.waiting[best].ok)
	s.waiting = slices.Delete(s.waiting, best, best+1)
}
