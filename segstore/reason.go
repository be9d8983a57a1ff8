package segstore

import "time"

// reason says why there is no File of the name.
func (t *tracks) reason(name string, now time.Time) Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, p := t.known(name)
	if tr == nil || !tr.run.any {
		return Never
	}
	living := tr.living(now, t.livingFor)
	switch {
	case p.style != notPart && !tr.styles[p.style]:
		return Never
	case living && tr.isNext(p):
		return Next
	case p.style != notPart:
		return tr.missingPart(p)
	}
	return tr.run.missing(p)
}

// isNext reports whether the name is the one to come next in the track.
func (t *track) isNext(p position) bool {
	s := t.slot(p.number)
	if p.style == notPart {
		return t.run.follows(p) || s != nil && !s.hasWhole()
	}
	if s == nil {
		return p.part <= 1 && t.run.follows(p)
	}
	if p.number != t.run.top && p.number != t.run.last || s.wholeComplete() {
		return false
	}
	top, ok := s.topPart()
	return ok && p.part == top+1 || !ok && p.part <= 1
}

// missing is the reason for a number that is not here and not due.
func (r *run) missing(p position) Reason {
	switch {
	case !r.plausible(p):
		return Never
	case p.number > r.top:
		return Future
	case p.number >= r.low:
		return Evicted
	}
	return Never
}

func (t *track) missingPart(p position) Reason {
	s := t.slot(p.number)
	if s == nil {
		return t.run.missing(p)
	}
	top, ok := s.topPart()
	switch {
	case ok && p.part <= top:
		return Evicted
	case p.number == t.run.top && !s.wholeComplete():
		return Future
	}
	return Never
}

func (s *slot) hasWhole() bool {
	for _, f := range s.files {
		if f.style == notPart {
			return true
		}
	}
	return false
}

func (s *slot) wholeComplete() bool {
	for _, f := range s.files {
		if f.style == notPart && f.complete {
			return true
		}
	}
	return false
}

// topPart returns the highest part number of the slot.
func (s *slot) topPart() (top uint64, ok bool) {
	for _, f := range s.files {
		if f.style != notPart {
			top, ok = max(top, f.part), true
		}
	}
	return top, ok
}
