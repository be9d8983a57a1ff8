package demo

import "sync"

// progress gathers what changes and tells it to one function from one
// goroutine, so that whoever changes something never waits for that function.
type progress struct {
	mu      sync.Mutex
	now     Progress      // guarded by mu
	changed chan struct{} // holds one token if something changed since the last report
	ended   chan struct{}
}

func newProgress() *progress {
	return &progress{changed: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (p *progress) update(change func(*Progress)) {
	p.mu.Lock()
	change(&p.now)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *progress) get() Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// report calls f after each change, and a last time at the end.
func (p *progress) report(f func(Progress)) {
	if f == nil {
		f = func(Progress) {}
	}
	for {
		select {
		case <-p.changed:
			f(p.get())
		case <-p.ended:
			f(p.get())
			return
		}
	}
}

// end makes report return.
func (p *progress) end() { close(p.ended) }
