package segstore

import (
	"strings"
	"sync"
	"time"
)

// streams knows which streams live. A stream is a directory; it lives while
// there are uploads, and for some time after, in it, below it, or in a
// directory above it.
type streams struct {
	livingFor time.Duration // static

	mu      sync.Mutex // guards the rest
	direct  map[string]*pulse
	below   map[string]*pulse // the directory itself included
	sweepAt int
}

// pulse is when something last happened.
type pulse struct {
	underWay int
	last     time.Time
}

func (p *pulse) beats(now time.Time, span time.Duration) bool {
	return p != nil && (p.underWay > 0 || now.Sub(p.last) <= span)
}

const sweepLeast = 1024

func newStreams(livingFor time.Duration) *streams {
	return &streams{
		livingFor: livingFor,
		direct:    make(map[string]*pulse),
		below:     make(map[string]*pulse),
		sweepAt:   sweepLeast,
	}
}

// begin enters the beginning of an upload.
func (s *streams) begin(name string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	s.note(name, 1, now)
}

// end enters the end of an upload.
func (s *streams) end(name string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(name, -1, now)
}

// note counts an upload for the directory of the name and for all above it.
// s.mu is held.
func (s *streams) note(name string, by int, now time.Time) {
	dir := dirOf(name)
	touch(s.direct, dir, by, now)
	for {
		touch(s.below, dir, by, now)
		if dir == "" {
			return
		}
		dir = dirOf(dir)
	}
}

func touch(m map[string]*pulse, dir string, by int, now time.Time) {
	p := m[dir]
	if p == nil {
		p = &pulse{}
		m[strings.Clone(dir)] = p
	}
	p.underWay += by
	p.last = now
}

// living reports whether the stream that the name belongs to lives.
func (s *streams) living(name string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := dirOf(name)
	if s.below[dir].beats(now, s.livingFor) {
		return true
	}
	for dir != "" {
		dir = dirOf(dir)
		if s.direct[dir].beats(now, s.livingFor) {
			return true
		}
	}
	return false
}

// sweep forgets the dead once there are many directories. s.mu is held.
func (s *streams) sweep(now time.Time) {
	if len(s.below) < s.sweepAt {
		return
	}
	for _, m := range []map[string]*pulse{s.direct, s.below} {
		for dir, p := range m {
			if !p.beats(now, s.livingFor) {
				delete(m, dir)
			}
		}
	}
	s.sweepAt = max(sweepLeast, 2*len(s.below))
}
