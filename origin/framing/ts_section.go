package framing

import (
	"bytes"
	"encoding/binary"
)

// leastSection is the length of a table's section with nothing in it: header,
// and checksum; a PMT has four bytes more.
const leastSection = 12

// table is one section and the packets that it came in.
type table struct {
	pid     int
	id      byte   // table_id
	program uint16 // of a PMT: there may be others on the PID

	packets []byte // of the newest whole section
	section []byte

	coming, gathered []byte // packets and bytes of the sections under way; nil: none
}

// add gathers a packet and says whether the section has changed.
func (t *table) add(p packet) (changed bool) {
	b := p.payload()
	if len(b) == 0 {
		return false
	}
	if !p.begins() {
		if t.coming == nil {
			return false
		}
		t.coming, t.gathered = append(t.coming, p...), append(t.gathered, b...)
		return t.take()
	}
	begin := 1 + int(b[0])
	if begin > len(b) {
		t.coming, t.gathered = nil, nil
		return false
	}
	if t.coming != nil { // the end of the one before
		t.coming, t.gathered = append(t.coming, p...), append(t.gathered, b[1:begin]...)
		changed = t.take()
	}
	t.coming, t.gathered = bytes.Clone(p), bytes.Clone(b[begin:])
	return t.take() || changed
}

// take takes the whole sections of what is gathered.
func (t *table) take() (changed bool) {
	for {
		g := t.gathered
		switch {
		case len(g) > 0 && g[0] == 0xff, len(t.coming) > mostTable*packetBytes: // stuffing; or no table at all
			t.coming, t.gathered = nil, nil
			return changed
		case len(g) < 3:
			return changed
		}
		size := 3 + int(binary.BigEndian.Uint16(g[1:])&0xfff)
		if len(g) < size {
			return changed
		}
		t.gathered = g[size:]
		section := g[:size:size]
		switch {
		case bytes.Equal(section, t.section):
			t.packets = t.coming[:len(t.coming):len(t.coming)]
		case t.holds(section):
			t.section, t.packets, changed = section, t.coming[:len(t.coming):len(t.coming)], true
		}
	}
}

// holds says that the section is the table's, in force and undamaged. Of a table
// of several sections it is the first.
func (t *table) holds(s []byte) bool {
	least := leastSection
	if t.id == pmtID {
		least += 4
	}
	return len(s) >= least && s[0] == t.id && s[5]&1 != 0 && s[6] == 0 &&
		(t.id != pmtID || binary.BigEndian.Uint16(s[3:]) == t.program) && checksum(s) == 0
}

// checksum is the CRC of ISO/IEC 13818-1, annex A: 0 over a section with its own.
func checksum(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
