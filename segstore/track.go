package segstore

import (
	"container/list"
	"fmt"
	"time"
)

// track is what is known of the names that differ only in their number. Its
// owner guards it.
type track struct {
	key     string
	slots   map[uint64]*list.Element // of *slot, by number
	order   list.List                // slots by arrival, oldest first
	styles  [dotted + 1]bool         // that its parts have been named in
	uploads int                      // under way
	touched time.Time                // when one last began or ended
	family  family
	run     run
}

// slot is a segment number with its files: the whole segment and its parts.
type slot struct {
	number  uint64
	arrival uint64
	files   []slotFile
}

// slotFile is a name in a slot.
type slotFile struct {
	name     string
	arrival  uint64
	style    partStyle
	part     uint64
	uploads  int // under way
	complete bool
}

func newTrack(key string) *track {
	return &track{key: key, slots: make(map[uint64]*list.Element)}
}

func (t *track) living(now time.Time, span time.Duration) bool {
	return t.uploads > 0 || now.Sub(t.touched) <= span
}

func (t *track) slot(number uint64) *slot {
	if e := t.slots[number]; e != nil {
		return e.Value.(*slot)
	}
	return nil
}

// file returns the name's place in its slot, or nil.
func (t *track) file(p position, name string) *slotFile {
	s := t.slot(p.number)
	if s == nil {
		return nil
	}
	return s.file(name)
}

func (s *slot) file(name string) *slotFile {
	for i := range s.files {
		if s.files[i].name == name {
			return &s.files[i]
		}
	}
	return nil
}

// enter makes a slot for the name, or moves the one there is to the newest
// place, and returns the file in it.
func (t *track) enter(p position, name string, arrival uint64) *slotFile {
	t.styles[p.style] = true
	e := t.slots[p.number]
	if e == nil {
		t.run.note(p, t.lowest)
		e = t.order.PushBack(&slot{number: p.number})
		t.slots[p.number] = e
	} else {
		t.run.again(p)
		t.order.MoveToBack(e)
	}
	s := e.Value.(*slot)
	s.arrival = arrival
	f := s.file(name)
	if f == nil {
		s.files = append(s.files, slotFile{name: name, style: p.style, part: p.part})
		f = &s.files[len(s.files)-1]
	}
	f.arrival = arrival
	return f
}

// tidy drops the file from its slot if nothing is left of it, and the slot
// with its last file.
func (t *track) tidy(number uint64, name string) {
	e := t.slots[number]
	if e == nil {
		return
	}
	s := e.Value.(*slot)
	for i, f := range s.files {
		if f.name == name && !f.complete && f.uploads == 0 {
			s.files = append(s.files[:i], s.files[i+1:]...)
			break
		}
	}
	if len(s.files) == 0 {
		t.remove(e)
	}
}

func (t *track) remove(e *list.Element) {
	t.order.Remove(e)
	delete(t.slots, e.Value.(*slot).number)
}

// lowest returns the lowest number that has a slot.
func (t *track) lowest() (n uint64, ok bool) {
	for e := t.order.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*slot); !ok || s.number < n {
			n, ok = s.number, true
		}
	}
	return n, ok
}

// isComplete says whether a slot counts as a complete segment: its whole
// segment is complete or, where only parts are uploaded, a later segment has
// begun. Nothing of it is being uploaded.
func (t *track) isComplete(e *list.Element) bool {
	s := e.Value.(*slot)
	whole, part := false, false
	for _, f := range s.files {
		if f.uploads > 0 {
			return false
		}
		whole = whole || f.complete && f.style == notPart
		part = part || f.complete
	}
	return whole || part && e != t.order.Back()
}

// excess takes out the oldest complete slots beyond the limit and returns
// their files. A limit of 0 is none.
func (t *track) excess(limit int) (gone []victim) {
	if limit <= 0 || t.order.Len() <= limit || t.family.undecided() {
		return nil
	}
	count := 0
	for e := t.order.Front(); e != nil; e = e.Next() {
		if t.isComplete(e) {
			count++
		}
	}
	for e := t.order.Front(); e != nil && count > limit; {
		next := e.Next()
		if t.isComplete(e) {
			for _, f := range e.Value.(*slot).files {
				gone = append(gone, victim{f.name, f.arrival})
			}
			t.remove(e)
			count--
		}
		e = next
	}
	return gone
}

// run is the numbering of a track: how its numbers have come. An encoder that
// restarts may begin a new one.
type run struct {
	any        bool
	low, top   uint64 // lowest and highest number
	last       uint64 // the number that began last
	digits     int    // how many the last was written with
	padded     bool   // it began with a zero
	unit       bool   // numbers have followed one on the other
	steps      [2]uint64
	failed     uint64 // a number whose upload failed
	haveFailed bool
}

// lateBy is how many steps a new number may lie below the highest, with no
// file left below it, without counting as a restart.
const lateBy = 4

// note enters a number that has no slot. lowest is of those that have.
func (r *run) note(p position, lowest func() (uint64, bool)) {
	n := p.number
	switch {
	case !r.any || n < r.top && r.restarts(n, lowest):
		*r = run{any: true, low: n, top: n}
	case n > r.top:
		step := n - r.top
		r.steps[1], r.steps[0] = r.steps[0], step
		r.unit = r.unit || step == 1
		r.top = n
	default:
		r.unit = r.unit || r.top-n == 1 // a late one
	}
	r.low = min(r.low, n)
	r.again(p)
}

func (r *run) restarts(n uint64, lowest func() (uint64, bool)) bool {
	if least, ok := lowest(); ok && n > least {
		return false
	}
	step := max(1, r.steps[0])
	if r.unit {
		step = 1
	}
	return r.top-n > lateBy*step
}

// again enters a number that has a slot.
func (r *run) again(p position) {
	r.last = p.number
	r.digits = len(p.digits)
	r.padded = r.digits > 1 && p.digits[0] == '0'
	if r.failed == p.number {
		r.haveFailed = false
	}
}

// fail enters that the upload of the number failed and left nothing.
func (r *run) fail(n uint64) { r.failed, r.haveFailed = n, true }

// follows reports whether the number is the one that is due: by 1, or by about
// as much as the last steps were.
func (r *run) follows(p position) bool {
	if r.haveFailed && r.failed == p.number {
		return true
	}
	return r.followsOn(r.last, p) || r.followsOn(r.top, p)
}

func (r *run) followsOn(from uint64, p position) bool {
	if p.number <= from {
		return false
	}
	step := p.number - from
	if step == 1 {
		return p.digits == fmt.Sprintf("%0*d", r.digits, p.number)
	}
	if r.unit || !r.plausible(p) {
		return false
	}
	for _, s := range r.steps {
		if s > 1 && s/2 < step && step <= s+s/2 {
			return true
		}
	}
	return false
}

// plausible reports whether the number is written as this run writes them.
func (r *run) plausible(p position) bool {
	if len(p.digits) == r.digits {
		return true
	}
	return p.digits != "" && (p.digits[0] != '0' || len(p.digits) == 1) && (!r.padded || len(p.digits) > r.digits)
}
