package framing

import (
	"bytes"
	"encoding/binary"
)

const (
	patPID = 0
	// mostTable bounds the packets of one table.
	mostTable = 64
	// mostPrograms bounds the programs that are looked at.
	mostPrograms = 32
)

// tables are what a viewer needs to know of the programs.
type tables struct {
	pat      table
	programs []*table // the PMTs, in the order of the PAT
	// header is the packets of all of them; nil until they are there. It is
	// never written to.
	header []byte

	clock  int  // PID of the program's clock
	access int  // PID where random access points are looked for
	video  bool // that is video
	kind   byte // its stream type
}

// table is one section and the packets that it came in.
type table struct {
	pid     int
	packets []byte // of the newest whole section
	section []byte

	coming, gathered []byte // packets and bytes of the section under way
}

// see takes a packet if it is of a table.
func (k *tables) see(p packet) {
	if p.pid() == patPID {
		if k.pat.add(p) {
			k.readPAT()
			k.renew()
		}
		return
	}
	for _, t := range k.programs {
		if t.pid == p.pid() {
			if t.add(p) {
				k.renew()
			}
			return
		}
	}
}

// add gathers a packet and says whether the section has changed. What stands
// before a section in its first packet is the end of another, and left out.
func (t *table) add(p packet) bool {
	b := p.payload()
	switch {
	case len(b) == 0:
		return false
	case p.begins():
		if 1+int(b[0]) >= len(b) {
			return false
		}
		t.coming, t.gathered = nil, nil
		b = b[1+int(b[0]):]
	case t.coming == nil || len(t.coming) >= mostTable*packetBytes:
		t.coming = nil
		return false
	}
	t.coming = append(t.coming, p...)
	t.gathered = append(t.gathered, b...)
	if len(t.gathered) < 3 {
		return false
	}
	size := 3 + int(binary.BigEndian.Uint16(t.gathered[1:])&0xfff)
	if len(t.gathered) < size {
		return false
	}
	changed := !bytes.Equal(t.section, t.gathered[:size])
	t.section, t.packets = t.gathered[:size], t.coming
	t.coming, t.gathered = nil, nil
	return changed
}

// readPAT finds the programs (ISO/IEC 13818-1, 2.4.4.3).
func (k *tables) readPAT() {
	s := k.pat.section
	old := k.programs
	k.programs = nil
	for at := 8; at+4 <= len(s)-4 && len(k.programs) < mostPrograms; at += 4 {
		if binary.BigEndian.Uint16(s[at:]) == 0 {
			continue // the network's table
		}
		pid := int(binary.BigEndian.Uint16(s[at+2:]) & 0x1fff)
		t := &table{pid: pid}
		for _, o := range old {
			if o.pid == pid {
				t = o
			}
		}
		k.programs = append(k.programs, t)
	}
}

// renew makes the header and chooses the program that is followed: the first
// that has video, else the first.
func (k *tables) renew() {
	header := bytes.Clone(k.pat.packets)
	var chosen program
	for _, t := range k.programs {
		if t.section == nil {
			continue
		}
		header = append(header, t.packets...)
		if p := readPMT(t.section); p.access != 0 && (chosen.access == 0 || p.video && !chosen.video) {
			chosen = p
		}
	}
	if chosen.access == 0 {
		k.header = nil
		return
	}
	k.header, k.clock, k.access, k.video, k.kind = header, chosen.clock, chosen.access, chosen.video, chosen.kind
}

// program is what is read from a PMT.
type program struct {
	clock, access int // PIDs
	video         bool
	kind          byte
}

// readPMT reads a program's table (ISO/IEC 13818-1, 2.4.4.8).
func readPMT(s []byte) (p program) {
	if len(s) < 16 || s[0] != 2 {
		return program{}
	}
	p.clock = int(binary.BigEndian.Uint16(s[8:]) & 0x1fff)
	at := 12 + int(binary.BigEndian.Uint16(s[10:])&0xfff)
	for at+5 <= len(s)-4 {
		kind, pid := s[at], int(binary.BigEndian.Uint16(s[at+1:])&0x1fff)
		if video := videoTypes[kind]; p.access == 0 || video && !p.video {
			p.access, p.kind, p.video = pid, kind, video
		}
		at += 5 + int(binary.BigEndian.Uint16(s[at+3:])&0xfff)
	}
	return p
}
