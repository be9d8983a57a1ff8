package folder

import "encoding/binary"

// boxWalk finds whether a file ends where one of its top-level boxes does
// (ISO/IEC 14496-12, section 4.2). The zero value is ready. What does not begin
// as an MP4 does, or has a header that cannot be, is foreign: nothing is said
// of it.
type boxWalk struct {
	pos     int64    // of the next byte that scan gets
	next    int64    // where the next header begins
	header  [16]byte // of the box at next, as far as it has come
	have    int      // bytes of header
	open    bool     // the last box runs to the end of the file
	leads   bool     // the last box is one that others must follow
	foreign bool
}

// mostBox bounds the believed size of a box, so that sums do not overflow.
const mostBox = 1 << 48

// scan takes the next bytes of the file.
func (b *boxWalk) scan(p []byte) {
	for len(p) > 0 && !b.open && !b.foreign {
		if b.pos < b.next {
			n := min(int64(len(p)), b.next-b.pos)
			p, b.pos = p[n:], b.pos+n
			continue
		}
		want := 8
		if b.have >= 8 {
			want = 16
		}
		n := copy(b.header[b.have:want], p)
		p, b.have = p[n:], b.have+n
		if b.have == want {
			b.headerDone()
		}
	}
}

func (b *boxWalk) headerDone() {
	size := uint64(binary.BigEndian.Uint32(b.header[:]))
	if size == 1 {
		if b.have == 8 {
			return // the 64-bit size follows
		}
		size = binary.BigEndian.Uint64(b.header[8:])
	}
	switch {
	case b.next == 0 && !beginsMP4(string(b.header[4:8])):
		b.foreign = true
	case size == 0:
		b.open = true
	case size < uint64(b.have) || size > mostBox:
		b.foreign = true
	default:
		b.leads = leads(string(b.header[4:8]))
		b.pos = b.next + int64(b.have)
		b.next += int64(size)
		b.have = 0
	}
}

// whole reports that the file may end here.
func (b *boxWalk) whole() bool {
	return b.foreign || b.open || b.pos == b.next && b.have == 0 && !b.leads
}

// leads knows the boxes that never come last: a moof has its mdat behind it.
func leads(kind string) bool { return kind == "ftyp" || kind == "moof" || kind == "prft" }

// beginsMP4 knows the boxes that a file or segment begins with.
func beginsMP4(kind string) bool {
	switch kind {
	case "ftyp", "styp", "sidx", "ssix", "moov", "moof", "mdat", "emsg", "prft", "free", "skip", "wide", "uuid":
		return true
	}
	return false
}
