package folder

import (
	"context"
	"slices"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// turn is what the loop knows of a follower.
type turn struct {
	seq     uint64    // its place in the order in which they were found
	found   time.Time // when
	behind  int       // of a manifest: those found before that have not begun
	further bool      // its file is one that was dealt with, written on
	started bool
	begun   bool
	told    bool // to end
}

// queue has the followers that wait for their turn.
type queue struct {
	seq       uint64
	inits     []*follower
	media     []*follower
	manifests []*follower
	unbegun   int // in inits and media, or running, that have not begun
}

// of returns the list that a follower waits in.
func (q *queue) of(f *follower) *[]*follower {
	switch segstore.KindOf(f.name) {
	case segstore.Manifest:
		return &q.manifests
	case segstore.Init:
		return &q.inits
	case segstore.Other, segstore.Segment, segstore.Part:
	}
	return &q.media
}

func (q *queue) remove(f *follower) {
	list := q.of(f)
	i := slices.Index(*list, f)
	*list = slices.Delete(*list, i, i+1)
}

// follow queues a follower for a file.
func (l *loop) follow(e *entry, w way) {
	s := &e.at[w]
	l.queue.seq++
	f := &follower{
		tools: l.tools,
		path:  pathOf(e.name, w), name: e.name, way: w, moved: s.moved,
		whole: isManifest(e.name), info: s.info, arrival: segstore.Arrive(),
		grew: make(chan struct{}, 1), nudged: make(chan struct{}, 1), verdicts: make(chan verdict, 2),
		turn: turn{
			seq: l.queue.seq, found: time.Now(), behind: l.queue.unbegun,
			further: !isManifest(e.name) && s.done.size > 0 && identOf(s.info).continues(s.done),
		},
	}
	f.track, _ = segstore.TrackOf(e.name)
	s.f = f
	list := l.queue.of(f)
	*list = append(*list, f)
	if !f.whole {
		l.queue.unbegun++
	}
}

// tell says to the follower of a slot, if there is one, why it shall end. One
// that still waits for its turn ends at once.
func (l *loop) tell(s *slot, why error) {
	f := s.f
	switch {
	case f == nil || f.turn.told:
		return
	case f.turn.started:
		f.turn.told = true
		f.verdicts <- verdict{why} // has room
		return
	}
	s.f = nil
	l.queue.remove(f)
	l.begun(f)
}

// begun counts that a follower holds up no manifest any more.
func (l *loop) begun(f *follower) {
	if f.turn.begun {
		return
	}
	f.turn.begun = true
	if f.whole {
		return
	}
	l.queue.unbegun--
	for _, m := range l.queue.manifests {
		if m.turn.seq > f.turn.seq {
			m.turn.behind--
		}
	}
}

// mostManifests bounds the manifests that are read at a time. They have a bound
// of their own, so that files that grow for long do not hold them up.
func (f *Folder) mostManifests() int { return max(f.most/4, 1) }

// fill starts followers while there is room. If not all of them have room, the
// newest go first: they are the live edge.
func (l *loop) fill(ctx context.Context) {
	q := &l.queue
	for l.media < l.most && len(q.inits) > 0 {
		l.start(ctx, q.inits[0])
	}
	for l.media < l.most && len(q.media) > 0 {
		next := q.media[0]
		if len(q.media) > l.most-l.media {
			next = q.media[len(q.media)-1]
		}
		l.start(ctx, next)
	}
	for _, f := range slices.Clone(q.manifests) {
		if f.turn.behind <= 0 && len(l.running)-l.media < l.mostManifests() {
			l.start(ctx, f)
		}
	}
}

// start starts a follower that waits.
func (l *loop) start(ctx context.Context, f *follower) {
	l.queue.remove(f)
	e := l.entries[f.name]
	f.before = e.sum
	f.turn.started = true
	e.alive++
	if e.at[inPlace].f == f {
		e.newest = f.arrival
	}
	l.running[f] = struct{}{}
	if !f.whole {
		l.media++
	}
	l.done.Go(func() { f.run(ctx) })
}

// release lets manifests go that have waited since before the time given for
// files that were found before them.
func (l *loop) release(since time.Time) {
	for _, m := range l.queue.manifests {
		if m.turn.found.Before(since) {
			m.turn.behind = 0
		}
	}
}
