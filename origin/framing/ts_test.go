package framing

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// tsPacket makes a packet with the payload, at its end; what is before is an
// adaptation field with the flags, and the clock (of 90 kHz) if that is not
// negative.
func tsPacket(pid int, begins bool, flags byte, clock int64, payload []byte) []byte {
	p := make([]byte, packetBytes)
	p[0], p[1], p[2], p[3] = syncByte, byte(pid>>8), byte(pid), 0x30
	if begins {
		p[1] |= 0x40
	}
	field := packetBytes - 5 - len(payload)
	p[4] = byte(field)
	if field > 0 {
		p[5] = flags
	}
	if clock >= 0 {
		p[5] |= 0x10
		binary.BigEndian.PutUint32(p[6:], uint32(clock>>1))
		p[10] = byte(clock&1) << 7
	}
	copy(p[5+field:], payload)
	return p
}

// section ends a table's section with its length and checksum.
func section(s ...byte) []byte {
	binary.BigEndian.PutUint16(s[1:], 0xb000|uint16(len(s)-3+4))
	return binary.BigEndian.AppendUint32(s, checksum(s))
}

func patOf(programs ...int) []byte {
	s := []byte{patID, 0, 0, 0, 1, 0xc1, 0, 0}
	for i, pid := range programs {
		s = append(s, 0, byte(i+1), 0xe0|byte(pid>>8), byte(pid))
	}
	return section(s...)
}

// pmtOf has the clock in the first of the streams (stream type, PID).
func pmtOf(program byte, streams ...int) []byte {
	s := []byte{pmtID, 0, 0, 0, program, 0xc1, 0, 0, 0xe0 | byte(streams[1]>>8), byte(streams[1]), 0xf0, 0}
	for i := 0; i < len(streams); i += 2 {
		s = append(s, byte(streams[i]), 0xe0|byte(streams[i+1]>>8), byte(streams[i+1]), 0xf0, 0)
	}
	return section(s...)
}

// psi makes packets of sections, one directly behind the other.
func psi(pid int, sections ...[]byte) (packets []byte) {
	b := append([]byte{0}, slices.Concat(sections...)...)
	for begins := true; len(b) > 0; begins = false {
		p := append([]byte{syncByte, byte(pid >> 8), byte(pid), 0x10}, b[:min(len(b), packetBytes-4)]...)
		if begins {
			p[1] |= 0x40
		}
		b = b[len(p)-4:]
		packets = append(packets, append(p, bytes.Repeat([]byte{0xff}, packetBytes-len(p))...)...)
	}
	return packets
}

const (
	marksAccess = 0x40
	breaksOff   = 0x80
)

func pes(begin ...byte) []byte {
	return append([]byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0}, begin...)
}

// cleanPackets returns the numbers of the packets where clean frames begin.
func cleanPackets(t *testing.T, data []byte) (at []int) {
	t.Helper()
	offset := 0
	for _, f := range cut(t, New(TS), data, packetBytes) {
		if f.Clean {
			at = append(at, offset/packetBytes)
		}
		offset += len(f.Data)
	}
	return at
}

// TestTables: which packets a viewer may begin with, by what the tables say.
func TestTables(t *testing.T) {
	const pmt, video, audio, meta = 0x100, 0x101, 0x102, 0x103
	pat, avc := psi(0, patOf(pmt)), psi(pmt, pmtOf(1, typeAVC, video, 0x0f, audio))
	key := tsPacket(video, true, marksAccess, -1, pes(0))
	sound := tsPacket(audio, true, marksAccess, -1, pes(0))
	damaged := bytes.Clone(avc)
	damaged[19] ^= 1 // the PID of the video
	private := section(0xc0, 0, 0, 0, 1, 0xc1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
	next := pmtOf(1, typeAVC, video)
	next[5] &^= 1
	next = section(next[:len(next)-4]...)
	long := []int{typeAVC, video}
	for range 60 {
		long = append(long, 0x06, audio)
	}
	longPMT := psi(pmt, pmtOf(1, long...))
	for name, c := range map[string]struct {
		packets [][]byte
		want    []int
	}{
		"as a rule":                {[][]byte{pat, avc, key, sound, key}, []int{2, 4}},
		"no tables":                {[][]byte{key, key}, nil},
		"program unknown yet":      {[][]byte{pat, key}, nil},
		"table before its list":    {[][]byte{avc, pat, key}, nil},
		"damaged":                  {[][]byte{pat, damaged, key}, nil},
		"damaged later":            {[][]byte{pat, avc, damaged, key}, []int{3}},
		"not in force yet":         {[][]byte{pat, psi(pmt, next), key}, nil},
		"another table on the PID": {[][]byte{pat, avc, psi(pmt, private), key}, []int{3}},
		"behind another table":     {[][]byte{pat, psi(pmt, private, pmtOf(1, typeAVC, video)), key}, []int{2}},
		"in several packets":       {[][]byte{pat, longPMT, key}, []int{1 + len(longPMT)/packetBytes}},
		"a packet of it lost":      {[][]byte{pat, longPMT[:packetBytes], key, avc, key}, []int{4}},
		"two programs on one PID": {
			[][]byte{psi(0, patOf(pmt, pmt)), psi(pmt, pmtOf(1, 0x0f, audio)), psi(pmt, pmtOf(2, typeAVC, video)), sound, key},
			[]int{4},
		},
		"and the other way round": {
			[][]byte{psi(0, patOf(pmt, pmt)), psi(pmt, pmtOf(1, typeAVC, video)), psi(pmt, pmtOf(2, 0x0f, audio)), sound, key},
			[]int{4},
		},
		"sound only":       {[][]byte{pat, psi(pmt, pmtOf(1, 0x15, meta, 0x0f, audio)), tsPacket(meta, true, 0, -1, pes(0)), sound}, []int{3}},
		"data only":        {[][]byte{pat, psi(pmt, pmtOf(1, 0x15, meta)), tsPacket(meta, true, 0, -1, pes(0))}, []int{2}},
		"video moves":      {[][]byte{pat, avc, key, psi(pmt, pmtOf(1, typeAVC, meta)), key, tsPacket(meta, true, marksAccess, -1, pes(0))}, []int{2, 5}},
		"empty program":    {[][]byte{pat, psi(pmt, pmtOf(1, typeAVC, video)[:12]), key}, nil},
		"a damaged packet": {[][]byte{pat, avc, damagedPacket(key)}, nil},
	} {
		if got := cleanPackets(t, slices.Concat(c.packets...)); !slices.Equal(got, c.want) {
			t.Errorf("%s: clean at %v, want %v", name, got, c.want)
		}
	}
}

func damagedPacket(p []byte) []byte {
	p = bytes.Clone(p)
	p[1] |= 0x80
	return p
}

// TestSectionSharesPacket: the end of a section stands before the next one's
// beginning.
func TestSectionSharesPacket(t *testing.T) {
	streams := []int{typeAVC, 0x101}
	for range 40 {
		streams = append(streams, 0x06, 0x102)
	}
	s := pmtOf(1, streams...)
	first := psi(0x100, s)[:packetBytes]
	tail := s[packetBytes-5:]
	second := psi(0x100, slices.Concat(tail, section(0xc0, 0, 0, 0, 1, 0xc1, 0, 0)))
	second[4] = byte(len(tail))
	key := tsPacket(0x101, true, marksAccess, -1, pes(0))
	if got := cleanPackets(t, slices.Concat(psi(0, patOf(0x100)), first, second, key)); !slices.Equal(got, []int{3}) {
		t.Errorf("clean at %v, want 3", got)
	}
}

// TestHeaderIsTheTables: who begins gets the newest tables, and only these.
func TestHeaderIsTheTables(t *testing.T) {
	pat, old, pmt := psi(0, patOf(0x100)), psi(0x100, pmtOf(1, typeAVC, 0x101)), psi(0x100, pmtOf(1, typeAVC, 0x101, 0x0f, 0x102))
	key := tsPacket(0x101, true, marksAccess, -1, pes(0))
	frames := cut(t, New(TS), slices.Concat(pat, old, key, pmt, key), 1)
	at := cleanOnes(frames)
	if len(at) != 2 || !bytes.Equal(frames[at[0]].Header, slices.Concat(pat, old)) || !bytes.Equal(frames[at[1]].Header, slices.Concat(pat, pmt)) {
		t.Errorf("%d clean frames, or not with their tables", len(at))
	}
}

// TestMarksOfAnotherEncoder: one that marks its random access points is followed
// by one that does not, on a socket that knows of no end.
func TestMarksOfAnotherEncoder(t *testing.T) {
	pat, pmt := psi(0, patOf(0x100)), psi(0x100, pmtOf(1, typeAVC, 0x101))
	idr, other := pes(0, 0, 1, 5), pes(0, 0, 1, 1)
	for name, c := range map[string]struct {
		between []byte
		want    []int
	}{
		"the same":          {nil, []int{2}},
		"other tables":      {psi(0x100, pmtOf(1, typeHEVC, 0x101)), []int{2}}, // other pictures, too: an AVC key frame is none there
		"tables with sound": {psi(0x100, pmtOf(1, 0x0f, 0x103, typeAVC, 0x101)), []int{2, 5}},
		"another clock":     {tsPacket(0x101, false, 0, 9_000_000, nil), []int{2, 5}},
		"a broken clock":    {tsPacket(0x101, false, breaksOff, 90_001, nil), []int{2, 5}},
	} {
		data := slices.Concat(pat, pmt, tsPacket(0x101, true, marksAccess, 90_000, pes(0)), c.between,
			tsPacket(0x101, true, 0, -1, other), tsPacket(0x101, true, 0, -1, idr))
		if got := cleanPackets(t, data); !slices.Equal(got, c.want) {
			t.Errorf("%s: clean at %v, want %v", name, got, c.want)
		}
	}
}

// TestProgramClock: the time of a stream whose clock begins anew, runs over, or
// jumps, of its own program alone.
func TestProgramClock(t *testing.T) {
	const wrap = int64(1) << 33
	for name, c := range map[string]struct {
		clocks []int64 // of 90 kHz; negative: the stream tells of a break before it
		want   time.Duration
	}{
		"runs":       {[]int64{900, 9900, 18900}, 200 * time.Millisecond},
		"runs over":  {[]int64{wrap - 9000, 0, 9000}, 200 * time.Millisecond},
		"goes back":  {[]int64{90_000, 99_000, 900, 9900}, 300 * time.Millisecond},
		"jumps":      {[]int64{90_000, 99_000, 9_000_000, 9_009_000}, 300 * time.Millisecond},
		"is told":    {[]int64{90_000, 99_000, -180_000, 189_000}, 300 * time.Millisecond},
		"holds":      {[]int64{90_000, 90_000, 99_000}, 100 * time.Millisecond},
		"long pause": {[]int64{0, 9 * 90_000, 18 * 90_000}, 18 * time.Second},
	} {
		data := slices.Concat(psi(0, patOf(0x100)), psi(0x100, pmtOf(1, typeAVC, 0x101)))
		for _, v := range c.clocks {
			flags := byte(0)
			if v < 0 {
				v, flags = -v, breaksOff
			}
			data = slices.Concat(data, tsPacket(0x101, false, flags, v, nil), tsPacket(0x102, false, 0, 12345, nil))
		}
		if got := lastTime(cut(t, New(TS), data, 1000)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestKeyFrames: pictures that need no other, by what they begin with.
func TestKeyFrames(t *testing.T) {
	for name, c := range map[string]struct {
		kind byte
		pes  []byte
		want bool
	}{
		"AVC":                   {typeAVC, pes(0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67), true},
		"AVC, none":             {typeAVC, pes(0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41), false},
		"AVC, cut short":        {typeAVC, pes(0, 0, 1), false},
		"HEVC":                  {typeHEVC, pes(0, 0, 1, 40, 1), true},
		"HEVC, none":            {typeHEVC, pes(0, 0, 1, 2, 1), false},
		"MPEG-2":                {typeMPEG2, pes(0, 0, 1, 0xb3), true},
		"MPEG-2, none":          {typeMPEG2, pes(0, 0, 1, 0), false},
		"VVC is not looked at":  {0x33, pes(0, 0, 1, 0x67), false},
		"no PES":                {typeAVC, []byte{0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x67}, false},
		"header beyond the end": {typeAVC, []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0, 200, 0, 0, 1, 0x67}, false},
		"header that looks so":  {typeAVC, []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0, 4, 0, 0, 1, 0x67}, false},
		"nothing":               {typeAVC, nil, false},
	} {
		if got := keyFrame(c.kind, c.pes); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPacketFields: lengths of an adaptation field that are no longer than the
// packet, and others.
func TestPacketFields(t *testing.T) {
	for _, c := range []struct {
		control, length byte
		field, payload  int
	}{{0x10, 9, 0, 184}, {0x30, 0, 0, 183}, {0x30, 1, 1, 182}, {0x20, 183, 183, 0}, {0x30, 183, 183, 0}, {0x30, 184, 0, 0}, {0x30, 255, 0, 0}, {0, 0, 0, 0}} {
		p := make(packet, packetBytes)
		p[0], p[3], p[4] = syncByte, c.control, c.length
		if len(p.adaptation()) != c.field || len(p.payload()) != c.payload {
			t.Errorf("control %#x, length %d: field %d, payload %d", c.control, c.length, len(p.adaptation()), len(p.payload()))
		}
	}
}

// TestCheckVector: the checksum of what others made.
func TestCheckVector(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x0376e6e7 {
		t.Errorf("%#x", got)
	}
}
