package segstore

// How long the meaning of names like v1.12.m4s may stay open.
const (
	mostParts     = 200 // a part number above it is none
	mostOfSegment = 64  // parts that one segment may have before it is none
	mostUndecided = 64  // names after which those are parts that might be
	enoughInTurn  = 3   // segments whose parts came in turn prove that they are
)

// verdict is what names like v1.12.m4s mean in one family of names.
type verdict uint8

const (
	asParts   verdict = iota + 1 // part 12 of segment 1
	asNumbers                    // segment 12 of representation v1
)

// family gathers the evidence about names like v1.12.m4s that share everything
// but the two numbers. Until there is enough they are taken for parts, and
// nothing of the track is evicted by number.
type family struct {
	verdict verdict
	names   int
	firsts  map[uint64]*seconds
	top     uint64 // highest first number
	inTurn  int
}

// seconds are the second numbers seen with one first number.
type seconds struct {
	count int
	top   uint64
}

// undecided says whether there are such names and they may mean both.
func (f *family) undecided() bool { return f.names > 0 && f.verdict == 0 }

// judge takes a name into account, read as part b of segment a. wholeKnown
// says that there is a whole segment a.
func (f *family) judge(a, b uint64, wholeKnown bool) {
	if f.verdict != 0 {
		return
	}
	f.names++
	s := f.firsts[a]
	switch {
	case wholeKnown:
		f.decide(asParts)
	case b > mostParts,
		s != nil && a < f.top && b > s.top,
		s != nil && s.count >= mostOfSegment:
		f.decide(asNumbers)
	case f.names > mostUndecided || f.turns(a) >= enoughInTurn:
		f.decide(asParts)
	default:
		f.note(a, b)
	}
}

// turns counts how often a next segment began after one with several parts.
func (f *family) turns(a uint64) int {
	if s := f.firsts[f.top]; s != nil && a == f.top+1 && f.firsts[a] == nil && s.count > 1 {
		f.inTurn++
	}
	return f.inTurn
}

func (f *family) note(a, b uint64) {
	if f.firsts == nil {
		f.firsts = make(map[uint64]*seconds)
	}
	s := f.firsts[a]
	if s == nil {
		s = &seconds{}
		f.firsts[a] = s
	}
	s.count++
	s.top = max(s.top, b)
	f.top = max(f.top, a)
}

func (f *family) decide(v verdict) {
	f.verdict = v
	f.firsts = nil
}
