package segstore

import (
	"container/list"
	"math"
	"sync"
	"time"
)

// evictQueue orders what is Complete and in memory by arrival. Init segments
// and manifests stand apart, since they may go only after all others, and only
// when their stream is dead.
type evictQueue struct {
	mu    sync.Mutex // guards the rest, and version.elem
	media list.List  // of *version, oldest arrival first
	kept  list.List
}

// place is where a version stands in the queue.
type place struct {
	in   *list.List
	elem *list.Element
}

// add enters a version unless it is there. Uploads end nearly in the order they
// began, so that its place is near the back.
func (q *evictQueue) add(v *version) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v.elem.in != nil {
		return
	}
	l := &q.media
	if v.kind == Init || v.kind == Manifest {
		l = &q.kept
	}
	at := l.Back()
	for at != nil && at.Value.(*version).arrival > v.arrival {
		at = at.Prev()
	}
	if at == nil {
		v.elem = place{l, l.PushFront(v)}
		return
	}
	v.elem = place{l, l.InsertAfter(v, at)}
}

// remove takes a version out; it does nothing if it is not there.
func (q *evictQueue) remove(v *version) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v.elem.in != nil {
		v.elem.in.Remove(v.elem.elem)
		v.elem = place{}
	}
}

// oldest returns the version to evict next, or nil. kept asks for one of the
// init segments and manifests whose stream is dead.
func (q *evictQueue) oldest(kept bool, dead func(name string) bool) *version {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !kept {
		return q.oldestMedia()
	}
	for e := q.kept.Front(); e != nil; e = e.Next() {
		if v := e.Value.(*version); dead(v.name) {
			return v
		}
	}
	return nil
}

// oldestMedia returns the oldest of the media that nobody reads: to evict one
// that is read frees nothing now. When all are read it returns the oldest.
func (q *evictQueue) oldestMedia() *version {
	for e, n := q.media.Front(), 0; e != nil && n < mostPassed; e, n = e.Next(), n+1 {
		if v := e.Value.(*version); v.file.holds.Load() == 1 {
			return v
		}
	}
	if e := q.media.Front(); e != nil {
		return e.Value.(*version)
	}
	return nil
}

// mostPassed bounds how many files that are read are passed over in a search.
const mostPassed = 1000

// evictOldest evicts the oldest of what the stores may evict. It returns false
// when there is nothing. Bytes of a file that is being read come free only
// later, so that a caller may have to ask again.
func evictOldest(stores []*Store, now time.Time) bool {
	for _, kept := range []bool{false, true} {
		var from *Store
		var victim *version
		for _, s := range stores {
			dead := func(name string) bool { return !s.streams.living(name, now) }
			if v := s.queue.oldest(kept, dead); v != nil && (victim == nil || v.arrival < victim.arrival) {
				from, victim = s, v
			}
		}
		if victim != nil {
			from.evict(victim)
			return true
		}
	}
	return false
}

// evict forgets a version because of its bytes.
func (s *Store) evict(v *version) {
	forgotten := false
	s.reg.change(v.name, func(e *entry) {
		if forgotten = e.complete == v; forgotten {
			e.complete = nil
		}
	})
	s.queue.remove(v) // else whoever replaced it will, or already has
	if !forgotten {
		return
	}
	s.tracks.gone(v.name)
	s.evictedBytes.Add(1)
	v.file.release()
	if s.disk != nil {
		s.disk.forget(v.name)
		s.disk.add(v.name, true) // an older version there must not come back
	}
	if s.state != nil && v.kind == Init {
		s.state.add(v.name, true)
	}
}

// evictable enters a version in the queue, unless it lost its name meanwhile.
func (s *Store) evictable(v *version) {
	s.queue.add(v)
	if !s.isCurrent(v) {
		s.queue.remove(v)
	}
}

// retire lets go of a version that the registry has no more.
func (s *Store) retire(v *version) {
	s.queue.remove(v)
	v.file.release()
}

// victim is a name that MaxCacheSegs lets go, as it was at an arrival.
type victim struct {
	name    string
	arrival uint64
}

// excess enters a version that has become Complete in its track and returns
// what must go for it.
func (s *Store) excess(v *version, now time.Time) []victim {
	if v.kind != Segment && v.kind != Part {
		s.tracks.end(v.name, false, now)
		return nil
	}
	limit := s.opt.limit(s.tracks.track(v.name))
	return s.tracks.complete(v.name, v.arrival, limit, now)
}

// drop forgets what MaxCacheSegs lets go. A later upload of such a name stays.
func (s *Store) drop(victims []victim) {
	for _, old := range victims {
		var v *version
		newer := false
		s.reg.change(old.name, func(e *entry) {
			if newer = e.complete != nil && e.complete.arrival > old.arrival; !newer {
				v, e.complete = e.complete, nil
			}
		})
		if v != nil {
			s.retire(v)
		}
		if !newer {
			s.evictedCount.Add(1)
		}
	}
}

// limit returns how many complete segments a track keeps, 0 for all. See
// Options.MaxCacheSegs.
func (o *Options) limit(track string) int {
	depth, n := 0, o.MaxCacheSegs
	if o.Depth != nil {
		depth = max(0, o.Depth(track))
	}
	if o.Dir != "" {
		switch {
		case n < 0:
			return magnitude(n)
		case n > 0 && depth > 0:
			return max(n, depth)
		}
		return 0
	}
	n = magnitude(n)
	if depth > 0 {
		n = min(n, depth)
	}
	return max(n, 1)
}

// magnitude returns |n|, or the nearest int to it.
func magnitude(n int) int {
	if n == math.MinInt {
		return math.MaxInt
	}
	return max(n, -n)
}
