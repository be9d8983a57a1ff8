package framing

import (
	"bytes"
	"encoding/binary"
)

const (
	patPID = 0
	// The tables' own numbers.
	patID, pmtID = 0, 2
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

	program // that is followed
}

// see takes a packet if it is of a table, and says whether another program is
// followed from now on, or the same in another way.
func (k *tables) see(p packet) bool {
	changed := false
	if p.pid() == patPID {
		if changed = k.pat.add(p); changed {
			k.readPAT()
		}
	} else {
		for _, t := range k.programs {
			if t.pid == p.pid() {
				changed = t.add(p) || changed
			}
		}
	}
	if !changed {
		return false
	}
	before := k.program
	k.renew()
	return k.program != before
}

// readPAT finds the programs (ISO/IEC 13818-1, 2.4.4.3).
func (k *tables) readPAT() {
	s := k.pat.section
	old := k.programs
	k.programs = nil
	for at := 8; at+4 <= len(s)-4 && len(k.programs) < mostPrograms; at += 4 {
		number := binary.BigEndian.Uint16(s[at:])
		if number == 0 {
			continue // the network's table
		}
		pid := int(binary.BigEndian.Uint16(s[at+2:]) & 0x1fff)
		t := &table{pid: pid, id: pmtID, program: number}
		for _, o := range old {
			if o.pid == pid && o.program == number {
				t = o
			}
		}
		k.programs = append(k.programs, t)
	}
}

// renew makes the header and chooses the program that is followed: the first
// that has video, else sound, else anything.
func (k *tables) renew() {
	header := bytes.Clone(k.pat.packets)
	k.program = program{}
	for _, t := range k.programs {
		if t.section == nil {
			continue
		}
		header = append(header, t.packets...)
		if p := readPMT(t.section); p.rank > k.rank {
			k.program = p
		}
	}
	k.header = nil
	if k.rank > 0 {
		k.header = header
	}
}

// program is what is read from a PMT.
type program struct {
	clock  int  // PID of its clock
	access int  // PID where random access points are looked for
	kind   byte // stream type of that
	rank   int  // of that type; 0: there is no program
}

// Ranks of stream types: in which of a program's streams a viewer begins.
const (
	rankData = 1 + iota
	rankPrivate
	rankAudio
	rankVideo
)

// ranks are those of the stream types of ISO/IEC 13818-1, table 2-34, and of
// what others have added. All others are data: sections, cues, metadata.
var ranks = map[byte]int{
	0x01: rankVideo, typeMPEG2: rankVideo, 0x10: rankVideo, typeAVC: rankVideo, typeHEVC: rankVideo, 0x33: rankVideo, 0x42: rankVideo,
	0xd1: rankVideo, 0xea: rankVideo,
	0x03: rankAudio, 0x04: rankAudio, 0x0f: rankAudio, 0x11: rankAudio, 0x1c: rankAudio, 0x81: rankAudio, 0x87: rankAudio, 0xc1: rankAudio,
	0xc2: rankAudio, 0xcf: rankAudio,
	0x06: rankPrivate,
}

// readPMT reads a program's table (ISO/IEC 13818-1, 2.4.4.8).
func readPMT(s []byte) (p program) {
	p.clock = int(binary.BigEndian.Uint16(s[8:]) & 0x1fff)
	at := 12 + int(binary.BigEndian.Uint16(s[10:])&0xfff)
	for at+5 <= len(s)-4 {
		kind, pid := s[at], int(binary.BigEndian.Uint16(s[at+1:])&0x1fff)
		if rank := max(ranks[kind], rankData); rank > p.rank {
			p.access, p.kind, p.rank = pid, kind, rank
		}
		at += 5 + int(binary.BigEndian.Uint16(s[at+3:])&0xfff)
	}
	return p
}
