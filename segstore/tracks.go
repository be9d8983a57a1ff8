package segstore

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what is remembered of tracks.
const (
	mostTracks = 1 << 16
	mostSlots  = 1 << 17 // of one track; files of forgotten ones stay
)

// tracks finds out which names belong together, from nothing but the names and
// the order they come in.
type tracks struct {
	livingFor time.Duration // static

	mu      sync.Mutex // guards the rest
	byKey   map[string]*track
	sweepAt int
}

func newTracks(livingFor time.Duration) *tracks {
	return &tracks{livingFor: livingFor, byKey: make(map[string]*track), sweepAt: sweepLeast}
}

// place returns where the name stands by what is known of its family. t.mu is held.
func (t *tracks) place(name string) (p position, ok bool) {
	r, ok := readName(name)
	if !ok || !r.ambiguous {
		return r.plain, ok
	}
	if tr := t.byKey[r.asPart.track]; tr != nil && tr.family.verdict == asNumbers {
		return r.plain, true
	}
	return r.asPart, true
}

// known returns the track of the name and its position there, or nil. t.mu is held.
func (t *tracks) known(name string) (*track, position) {
	p, ok := t.place(name)
	if !ok {
		return nil, p
	}
	return t.byKey[p.track], p
}

// track returns the key of the name's track, or "".
func (t *tracks) track(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, _ := t.place(name)
	return p.track
}

// kind is KindOf with what is known of the name's family.
func (t *tracks) kind(name string) Kind {
	k := KindOf(name)
	if k != Segment {
		return k
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, p := t.known(name)
	if tr != nil && p.style != notPart && !tr.family.undecided() {
		return Part
	}
	return k
}

// begin enters the beginning of an upload.
func (t *tracks) begin(name string, arrival uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, f := t.enter(name, arrival, now); tr != nil {
		tr.uploads++
		f.uploads++
		tr.trim()
	}
}

// learn enters a file that is there already.
func (t *tracks) learn(name string, arrival uint64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, f := t.enter(name, arrival, at); tr != nil {
		f.complete = true
		tr.trim()
	}
}

// trim forgets the oldest slot of a track that has too many.
func (t *track) trim() {
	if e := t.order.Front(); len(t.slots) > mostSlots && t.isComplete(e) {
		t.remove(e)
	}
}

func (t *tracks) enter(name string, arrival uint64, now time.Time) (*track, *slotFile) {
	r, ok := readName(name)
	if !ok {
		return nil, nil
	}
	t.judge(r, now)
	p, _ := t.place(name)
	tr := t.get(p.track, now)
	f := tr.enter(p, name, arrival)
	return tr, f
}

// judge lets the family of the name learn from it. t.mu is held.
func (t *tracks) judge(r reading, now time.Time) {
	if !r.ambiguous {
		tr := t.byKey[r.plain.track]
		if tr != nil && r.plain.style == notPart && tr.family.undecided() && tr.family.firsts[r.plain.number] != nil {
			tr.family.decide(asParts)
		}
		return
	}
	p := r.asPart
	tr := t.get(p.track, now)
	s := tr.slot(p.number)
	wholeKnown := s != nil && s.hasWhole()
	before := tr.family.verdict
	tr.family.judge(p.number, p.part, wholeKnown)
	if before == 0 && tr.family.verdict == asNumbers {
		t.splitUp(tr, now)
	}
}

// splitUp moves the files that were taken for parts to the tracks they belong
// to. t.mu is held.
func (t *tracks) splitUp(from *track, now time.Time) {
	var moved []slotFile
	for e := from.order.Front(); e != nil; {
		next := e.Next()
		s := e.Value.(*slot)
		s.files = slices.DeleteFunc(s.files, func(f slotFile) bool {
			if f.style == dotted {
				moved = append(moved, f)
			}
			return f.style == dotted
		})
		if len(s.files) == 0 {
			from.remove(e)
		}
		e = next
	}
	from.styles[dotted] = false
	slices.SortFunc(moved, func(a, b slotFile) int { return cmp.Compare(a.arrival, b.arrival) })
	for _, f := range moved {
		p, _ := t.place(f.name)
		tr := t.get(p.track, now)
		to := tr.enter(p, f.name, f.arrival)
		to.complete, to.uploads = f.complete, f.uploads
		tr.uploads += f.uploads
		from.uploads -= f.uploads
	}
}

// get returns the track, which it makes if need be, and touches it. t.mu is held.
func (t *tracks) get(key string, now time.Time) *track {
	tr := t.byKey[key]
	if tr == nil {
		t.sweep(now)
		key = strings.Clone(key)
		tr = newTrack(key)
		t.byKey[key] = tr
	}
	if now.After(tr.touched) {
		tr.touched = now
	}
	return tr
}

// complete enters that a version of the name has become Complete, and returns
// what the limit lets go.
func (t *tracks) complete(name string, arrival uint64, limit int, now time.Time) []victim {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, p := t.known(name)
	if tr == nil {
		return nil
	}
	if f := tr.ended(p, name, now); f != nil {
		f.complete = true
		f.arrival = max(f.arrival, arrival)
	}
	return tr.excess(limit)
}

// end enters that an upload has ended and left nothing.
func (t *tracks) end(name string, failed bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, p := t.known(name)
	if tr == nil {
		return
	}
	tr.ended(p, name, now)
	tr.tidy(p.number, name)
	if failed && tr.slot(p.number) == nil {
		tr.run.fail(p.number)
	}
}

func (t *track) ended(p position, name string, now time.Time) *slotFile {
	t.touched = now
	t.uploads = max(0, t.uploads-1)
	f := t.file(p, name)
	if f != nil {
		f.uploads = max(0, f.uploads-1)
	}
	return f
}

// gone enters that the name has no Complete version any more.
func (t *tracks) gone(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, p := t.known(name); tr != nil {
		if f := tr.file(p, name); f != nil {
			f.complete = false
			tr.tidy(p.number, name)
		}
	}
}

// sweep keeps the number of tracks bounded: those that are empty and not
// living go, and of too many those that were touched longest ago. t.mu is held.
func (t *tracks) sweep(now time.Time) {
	if len(t.byKey) < t.sweepAt {
		return
	}
	for key, tr := range t.byKey {
		if len(tr.slots) == 0 && !tr.living(now, t.livingFor) {
			delete(t.byKey, key)
		}
	}
	if len(t.byKey) >= mostTracks {
		t.forgetOldest(len(t.byKey) - mostTracks*3/4)
	}
	t.sweepAt = min(mostTracks, max(sweepLeast, 2*len(t.byKey)))
}

func (t *tracks) forgetOldest(n int) {
	all := make([]*track, 0, len(t.byKey))
	for _, tr := range t.byKey {
		if tr.uploads == 0 {
			all = append(all, tr)
		}
	}
	slices.SortFunc(all, func(a, b *track) int { return a.touched.Compare(b.touched) })
	for _, tr := range all[:min(n, len(all))] {
		delete(t.byKey, tr.key)
	}
}
