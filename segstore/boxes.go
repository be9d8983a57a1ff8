package segstore

import "encoding/binary"

// boxScanner finds where the fragments of an ISO BMFF file end, from the
// headers of its top-level boxes alone (ISO/IEC 14496-12, section 4.2). A
// fragment ends where an mdat does; what stands before the mdat (styp, prft,
// emsg, moof) belongs to it. The zero value is ready. It never fails: what is
// not made of boxes just has no fragments.
type boxScanner struct {
	pos    int64    // of the next byte that Scan gets
	next   int64    // where the next box header begins
	header [16]byte // of the box at next, as far as it has come
	have   int      // bytes of header
	end    int64    // of the last mdat that is all in
	mdat   bool     // the box that ends at next is an mdat
	off    bool     // not boxes, or one that runs to the end of the file
}

// Scan takes the next bytes of the file.
func (s *boxScanner) Scan(p []byte) {
	for len(p) > 0 && !s.off {
		if s.pos < s.next {
			p = s.skip(p)
			continue
		}
		p = s.readHeader(p)
	}
	s.pos += int64(len(p))
}

// Structured reports whether the file has been made of boxes so far.
func (s *boxScanner) Structured() bool { return !s.off }

// FragmentEnd returns the offset behind the last fragment that is all in.
func (s *boxScanner) FragmentEnd() int64 { return s.end }

func (s *boxScanner) skip(p []byte) []byte {
	n := min(int64(len(p)), s.next-s.pos)
	s.pos += n
	if s.pos == s.next && s.mdat {
		s.end, s.mdat = s.pos, false
	}
	return p[n:]
}

func (s *boxScanner) readHeader(p []byte) []byte {
	want := 8
	if s.have >= 8 && binary.BigEndian.Uint32(s.header[:]) == 1 {
		want = 16
	}
	n := copy(s.header[s.have:want], p)
	s.have += n
	s.pos += int64(n)
	if s.have == want {
		s.headerDone(want)
	}
	return p[n:]
}

// headerDone acts on a header of n bytes at s.next.
func (s *boxScanner) headerDone(n int) {
	size := uint64(binary.BigEndian.Uint32(s.header[:]))
	if size == 1 {
		if n == 8 {
			return // the 64-bit size follows
		}
		size = binary.BigEndian.Uint64(s.header[8:])
	}
	kind := string(s.header[4:8])
	if size < uint64(n) || size > 1<<48 || !isTopLevelBox(kind) {
		s.off = true
		return
	}
	s.have = 0
	s.next += int64(size)
	s.mdat = kind == "mdat"
	if s.mdat && s.pos == s.next {
		s.end, s.mdat = s.pos, false
	}
}

// isTopLevelBox knows the boxes that a CMAF or fragmented MP4 file has outside
// others.
func isTopLevelBox(kind string) bool {
	switch kind {
	case "ftyp", "styp", "moov", "moof", "mdat", "sidx", "ssix", "prft", "emsg",
		"free", "skip", "uuid", "mfra", "meta", "pdin", "imda":
		return true
	}
	return false
}
