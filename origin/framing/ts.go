package framing

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	packetBytes = 188
	syncByte    = 0x47
	// runBytes is the most that comes out at once of what has no random access
	// point or clock in it.
	runBytes = 348 * packetBytes
)

// transport cuts MPEG-TS: a frame is a run of whole packets, and begins anew at
// each random access point and at each packet that has the program's clock.
type transport struct {
	buffer
	tables tables
	clock  clock
	timed  bool // clock is running
	at     time.Duration
	marked bool // the stream tells its random access points itself, since its tables or its clock last changed
}

// Next is Framer.Next. It never waits for more than a packet.
func (t *transport) Next() (Frame, bool) {
	b := t.rest()
	if skip := lost(b); skip > 0 {
		return t.pass(skip)
	}
	if len(b) < packetBytes {
		return Frame{}, false
	}
	f := Frame{Time: NoTime}
	first := packet(b[:packetBytes])
	t.see(first)
	if t.isAccess(first) {
		f.Clean, f.Header = true, t.tables.header
	}
	if t.timed {
		f.Time = t.at
	}
	n := packetBytes
	for n+packetBytes <= min(len(b), runBytes) && b[n] == syncByte {
		p := packet(b[n : n+packetBytes])
		if _, _, ok := t.pcr(p); ok || t.isAccess(p) {
			break
		}
		t.see(p)
		n += packetBytes
	}
	f.Data = t.take(n)
	return f, true
}

// lost returns how many bytes stand before the next packet. In a row of packets
// the first byte of one is enough; where that is lost, two are looked for.
func lost(b []byte) int {
	if len(b) == 0 || b[0] == syncByte {
		return 0
	}
	for i := 1; i < len(b); i++ {
		if b[i] == syncByte && (i+packetBytes >= len(b) || b[i+packetBytes] == syncByte) {
			return i
		}
	}
	return len(b)
}

// see learns from a packet that is about to come out.
func (t *transport) see(p packet) {
	if t.tables.see(p) {
		t.marked = false
	}
	if v, broken, ok := t.pcr(p); ok {
		t.clock.hz, t.clock.wrap = 27_000_000, 300<<33
		at, brokeOff := t.clock.tick(v, broken)
		t.at, t.timed = at, true
		t.marked = t.marked && !brokeOff // it may be another encoder's
	}
	if p.pid() == t.tables.access && p.begins() && p.randomAccess() {
		t.marked = true
	}
}

// isAccess says whether a viewer may begin with the packet.
func (t *transport) isAccess(p packet) bool {
	k := &t.tables
	switch {
	case k.header == nil || p.pid() != k.access || !p.begins():
		return false
	case k.rank != rankVideo || p.randomAccess():
		return true
	}
	return !t.marked && keyFrame(k.kind, p.payload())
}

// pcr returns the clock of the program in the packet, in 27 MHz.
func (t *transport) pcr(p packet) (v int64, broken, ok bool) {
	a := p.adaptation()
	if t.tables.header == nil || p.pid() != t.tables.clock || len(a) < 7 || a[0]&0x10 == 0 {
		return 0, false, false
	}
	base := int64(binary.BigEndian.Uint32(a[1:]))<<1 | int64(a[5]>>7)
	return base*300 + int64(a[5]&1)<<8 + int64(a[6]), a[0]&0x80 != 0, true
}

// packet is a transport packet (ISO/IEC 13818-1, 2.4.3.2).
type packet []byte

func (p packet) pid() int { return int(p[1]&0x1f)<<8 | int(p[2]) }

// begins says that a PES packet or a section begins in the packet.
func (p packet) begins() bool { return p[1]&0x40 != 0 }

// adaptation returns the adaptation field without its length; nil if there is none
// or the packet is marked as damaged.
func (p packet) adaptation() []byte {
	if p[1]&0x80 != 0 || p[3]&0x20 == 0 || p[4] == 0 || int(p[4]) > packetBytes-5 {
		return nil
	}
	return p[5 : 5+int(p[4])]
}

func (p packet) randomAccess() bool {
	a := p.adaptation()
	return len(a) > 0 && a[0]&0x40 != 0
}

func (p packet) payload() []byte {
	if p[3]&0x10 == 0 || p[1]&0x80 != 0 {
		return nil
	}
	at := 4
	if p[3]&0x20 != 0 {
		at += 1 + int(p[4])
	}
	return p[min(at, packetBytes):]
}

// Stream types of video that is looked into (ISO/IEC 13818-1, table 2-34).
const (
	typeMPEG2 = 0x02
	typeAVC   = 0x1b
	typeHEVC  = 0x24
)

// keyFrame says whether the beginning of a PES packet shows that of a picture
// that needs no other, for streams that do not mark these.
func keyFrame(kind byte, pes []byte) bool {
	if len(pes) < 9 || !bytes.HasPrefix(pes, []byte{0, 0, 1}) {
		return false
	}
	b := pes[min(len(pes), 9+int(pes[8])):]
	for {
		i := bytes.Index(b, []byte{0, 0, 1})
		if i < 0 || i+3 >= len(b) {
			return false
		}
		b = b[i+3:]
		switch n := b[0]; {
		case kind == typeAVC && (n&0x1f == 5 || n&0x1f == 7),
			kind == typeHEVC && (n>>1&0x3f >= 16 && n>>1&0x3f <= 23 || n>>1&0x3f == 32 || n>>1&0x3f == 33),
			(kind == typeMPEG2 || kind == 1) && n == 0xb3:
			return true
		}
	}
}
