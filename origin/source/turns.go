package source

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns lets uploads of one key take turns, in the order of their arrival.
type turns struct {
	mu   sync.Mutex // guards the rest
	keys map[string]*queue
}

// queue are those who wait while another has the turn. Each one's channel is
// closed when the turn is its own.
type queue struct{ waiting []chan struct{} }

// acquire waits for the turn, which release gives on, at most for so long.
func (s *turns) acquire(ctx context.Context, key string, atMost time.Duration) error {
	mine := s.enter(key)
	if mine == nil || waitFor(mine, atMost, ctx.Done()) {
		return nil
	}
	if s.withdraw(key, mine) { // it came all the same
		s.release(key)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrBusy
}

// enter takes a turn that is free, and returns nil; else it returns what to wait
// for.
func (s *turns) enter(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.keys[key]
	if q == nil {
		if s.keys == nil {
			s.keys = make(map[string]*queue)
		}
		s.keys[key] = &queue{}
		return nil
	}
	mine := make(chan struct{})
	q.waiting = append(q.waiting, mine)
	return mine
}

// withdraw ends the wait, and says whether it had ended before.
func (s *turns) withdraw(key string, mine chan struct{}) (had bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.keys[key]
	i := slices.Index(q.waiting, mine)
	if i < 0 {
		return true
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return false
}

func (s *turns) release(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.keys[key]
	if len(q.waiting) == 0 {
		delete(s.keys, key)
		return
	}
	close(q.waiting[0])
	q.waiting = slices.Delete(q.waiting, 0, 1)
}
