package framing

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	// mostBox bounds a box that must be whole before it comes out, and mostMdat
	// the media of a fragment that comes out as one frame.
	mostBox  = 16 << 20
	mostMdat = 4 << 20
	// everything stands for a box without end.
	everything = math.MaxInt64
)

// fragments cuts fragmented MP4: a frame is an init segment, or a fragment with
// what stands before its moof. Where a box is too long to be held, the frame ends
// in it, and the rest follows in pieces. A file that is not fragmented has one
// beginning: its own.
type fragments struct {
	buffer
	scanned int   // bytes of the frame under way that are known to be whole boxes
	passing int64 // bytes left of a box that comes out in pieces
	opening bool  // the frame under way begins with ftyp
	plain   bool  // it is of a file that is not fragmented
	begun   bool  // a frame has come out
	passed  int   // fragments in a row that have a sync sample, but not at their beginning
	moof    *fragment
	header  []byte // ftyp and moov; never written to
	tracks  tracks
	clock   clock
	timed   uint32 // the track whose times count; 0: none yet
}

// Next is Framer.Next.
func (m *fragments) Next() (Frame, bool) {
	for {
		b := m.rest()
		if m.passing > 0 {
			if len(b) == 0 {
				return Frame{}, false
			}
			n := min(int64(len(b)), m.passing, pieceBytes)
			if m.passing != everything {
				m.passing -= n
			}
			return m.pass(int(n))
		}
		kind, size, ok := boxHead(b[m.scanned:])
		if !ok {
			return Frame{}, false
		}
		limit := int64(mostBox)
		if kind == "mdat" {
			limit = mostMdat
		}
		have := int64(len(b) - m.scanned)
		switch {
		case size > limit:
			return m.long(kind, size, have)
		case have < size:
			return Frame{}, false
		}
		m.scanned += int(size)
		if m.box(kind, b[m.scanned-int(size):m.scanned]) {
			return m.frame()
		}
		if m.scanned > mostBox { // nothing but boxes that wait for another
			return m.frame()
		}
	}
}

// boxHead returns type and length of the box that b begins with. What cannot be a
// box has no end.
func boxHead(b []byte) (kind string, size int64, ok bool) {
	if len(b) < 8 {
		return "", 0, false
	}
	kind, size = string(b[4:8]), int64(binary.BigEndian.Uint32(b))
	least := int64(8)
	if size == 1 {
		if len(b) < 16 {
			return "", 0, false
		}
		size, least = int64(binary.BigEndian.Uint64(b[8:])&math.MaxInt64), 16 //nolint:gosec // masked
	}
	if size < least || !isBoxName(b[4:8]) {
		return "", everything, true
	}
	return kind, size, true
}

// long takes what is there of a box that is not waited for.
func (m *fragments) long(kind string, size, have int64) (Frame, bool) {
	m.passing = size
	if size != everything {
		m.passing -= have
	}
	taken := min(size, have)
	m.passing = max(m.passing, 0)
	m.scanned += int(taken)
	if kind != "mdat" {
		m.moof = nil
	}
	m.plain = m.plain || kind == "mdat" && m.moof == nil && m.header == nil
	return m.frame()
}

// box looks at the next whole box of the frame under way and says whether that
// ends with it.
func (m *fragments) box(kind string, b []byte) bool {
	switch kind {
	case "ftyp":
		m.opening = true
		return false
	case "styp", "sidx", "prft", "emsg":
		return false
	case "moov":
		var fragmented bool
		m.tracks, fragmented = readTracks(payloadOf(b))
		m.plain = m.plain || !fragmented
		m.timed = 0
		m.header = append([]byte(nil), m.rest()[:m.scanned]...)
		return true
	case "moof":
		f := readFragment(payloadOf(b), m.tracks)
		if m.moof != nil {
			f.clean, f.key, f.times = f.clean || m.moof.clean, f.key || m.moof.key, append(m.moof.times, f.times...)
		}
		m.moof = &f
		return false
	case "mdat":
		m.plain = m.plain || m.moof == nil && m.header == nil
		return true
	}
	return m.moof == nil && !m.opening
}

// payloadOf returns the payload of a whole box.
func payloadOf(b []byte) (payload []byte) {
	boxes(b, func(_ string, p []byte) { payload = p })
	return payload
}

// frame takes what is scanned.
func (m *fragments) frame() (Frame, bool) {
	f := Frame{Time: NoTime}
	switch {
	case m.moof != nil:
		f.Time = m.timeOf(m.moof)
		if m.begins(m.moof) && m.header != nil {
			f.Clean, f.Header = true, m.header
		}
	case m.plain && !m.begun:
		f.Clean = true
	}
	f.Data = m.take(m.scanned)
	m.scanned, m.moof, m.opening, m.begun = 0, nil, false, true
	return f, true
}

// begins says whether a viewer may begin with the fragment. Where no fragment
// begins with a sync sample any more, one that has a sync sample must do.
func (m *fragments) begins(f *fragment) bool {
	switch {
	case f.clean:
		m.passed = 0
	case f.key:
		m.passed++
	}
	return f.clean || f.key && m.passed > 1
}

// timeOf returns the fragment's time, by one track's times.
func (m *fragments) timeOf(f *fragment) time.Duration {
	for _, t := range f.times {
		if m.timed == 0 {
			m.timed = t.track
			m.clock = clock{hz: t.scale, at: m.clock.at + m.clock.step, began: true, last: t.decode}
		}
		if t.track == m.timed {
			at, _ := m.clock.tick(t.decode, false)
			return at
		}
	}
	return NoTime
}
