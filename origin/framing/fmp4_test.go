package framing

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

func box(kind string, payload ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	for _, p := range payload {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// largeBox has its length in eight bytes.
func largeBox(kind string, payload []byte) []byte {
	b := append([]byte{0, 0, 0, 1}, kind...)
	return append(binary.BigEndian.AppendUint64(b, uint64(16+len(payload))), payload...)
}

func words(v ...uint32) (b []byte) {
	for _, one := range v {
		b = binary.BigEndian.AppendUint32(b, one)
	}
	return b
}

const (
	notSync = 0x10000
	rate    = 1000 // ticks a second, of the tracks made here
)

// trackBox describes a track; version 1 has times of eight bytes.
func trackBox(id uint32, handler string, version uint32) []byte {
	times := make([]byte, 8+8*version)
	return box("trak", box("tkhd", words(version<<24), times, words(id)),
		box("mdia", box("mdhd", words(version<<24), times, words(rate)), box("hdlr", words(0, 0), []byte(handler))))
}

// initOf makes an init segment; samples that say nothing are no sync samples.
func initOf(traks ...[]byte) []byte {
	mvex := box("mvex", box("trex", words(0, 1, 1, 0, 0, notSync)), box("trex", words(0, 2, 1, 0, 0, 0)))
	return slices.Concat(box("ftyp", []byte("iso6"), words(0)), box("moov", box("mvhd"), slices.Concat(traks...), mvex))
}

func videoAndSound() []byte { return initOf(trackBox(1, "vide", 0), trackBox(2, "soun", 1)) }

// trafOf makes a track's part of a fragment. run is the trun box's content.
func trafOf(id, at uint32, run ...uint32) []byte {
	return box("traf", box("tfhd", words(0x20000, id)), box("tfdt", words(0, at)), box("trun", words(run...)))
}

func fragmentOf(trafs ...[]byte) []byte {
	return slices.Concat(box("moof", box("mfhd", words(0, 1)), slices.Concat(trafs...)), box("mdat", []byte("media")))
}

// Content of trun boxes of two samples.
var (
	keyFirst  = []uint32{0x4, 2, 0}
	keySecond = []uint32{0x400, 2, notSync, 0}
	noKey     = []uint32{0, 2}
)

// TestFragments: which ones a viewer may begin with.
func TestFragments(t *testing.T) {
	key, second, none := fragmentOf(trafOf(1, 0, keyFirst...)), fragmentOf(trafOf(1, 0, keySecond...)), fragmentOf(trafOf(1, 0, noKey...))
	sound := fragmentOf(trafOf(2, 0, 0, 2))
	only := initOf(trackBox(2, "soun", 0))
	for name, c := range map[string]struct {
		parts [][]byte
		want  []int // frames
	}{
		"begin with a sync sample":    {[][]byte{videoAndSound(), key, none, key}, []int{1, 3}},
		"without an init segment":     {[][]byte{key, videoAndSound(), key}, []int{2}},
		"sound of a film":             {[][]byte{videoAndSound(), sound, key}, []int{2}},
		"sound alone":                 {[][]byte{only, sound, sound}, []int{1, 2}},
		"both in one":                 {[][]byte{videoAndSound(), fragmentOf(trafOf(2, 0, 0, 2), trafOf(1, 0, keyFirst...))}, []int{1}},
		"no sync sample first":        {[][]byte{videoAndSound(), key, second, key, second}, []int{1, 3}},
		"no sync sample first, ever":  {[][]byte{videoAndSound(), key, second, none, second, second}, []int{1, 4, 5}},
		"empty run":                   {[][]byte{videoAndSound(), fragmentOf(trafOf(1, 0, 0, 0))}, nil},
		"empty run before another":    {[][]byte{videoAndSound(), fragmentOf(box("traf", box("tfhd", words(0, 1)), box("trun", words(0, 0)), box("trun", words(keyFirst...))))}, []int{1}},
		"flags for the fragment":      {[][]byte{videoAndSound(), fragmentOf(box("traf", box("tfhd", words(0x3b, 1, 0, 0, 1, 1, 1, 0)), box("trun", words(noKey...))))}, []int{1}},
		"flags per sample, and more":  {[][]byte{videoAndSound(), fragmentOf(trafOf(1, 0, 0xf01, 1, 0, notSync, notSync, 0, notSync))}, []int{1}},
		"run longer than its box":     {[][]byte{videoAndSound(), fragmentOf(trafOf(1, 0, 0x400, 1<<31))}, nil},
		"unknown track":               {[][]byte{videoAndSound(), fragmentOf(trafOf(9, 0, keyFirst...))}, nil},
		"index and events before":     {[][]byte{videoAndSound(), slices.Concat(box("styp"), box("sidx"), box("emsg"), box("prft"), key)}, []int{1}},
		"two moof before one mdat":    {[][]byte{videoAndSound(), slices.Concat(key[:len(key)-13], none)}, []int{1}},
		"lengths of eight bytes":      {[][]byte{videoAndSound(), slices.Concat(largeBox("moof", key[8:len(key)-13]), largeBox("mdat", []byte("media")))}, []int{1}},
		"a new init segment":          {[][]byte{videoAndSound(), key, only, sound}, []int{1, 3}},
		"not fragmented":              {[][]byte{box("ftyp"), box("moov", trackBox(1, "vide", 0)), box("mdat")}, []int{0}},
		"not fragmented, media first": {[][]byte{box("ftyp"), box("mdat"), box("moov", trackBox(1, "vide", 0))}, []int{0}},
		"other boxes between":         {[][]byte{videoAndSound(), box("free"), key, box("uuid", make([]byte, 16)), key}, []int{2, 4}},
	} {
		for _, size := range []int{1, 50, 1000} {
			if got := cleanOnes(cut(t, New(FMP4), slices.Concat(c.parts...), size)); !slices.Equal(got, c.want) {
				t.Errorf("%s, in pieces of %d: clean at %v, want %v", name, size, got, c.want)
			}
		}
	}
}

// TestFragmentHeader: who begins gets the newest init segment, with what stands
// between ftyp and moov.
func TestFragmentHeader(t *testing.T) {
	key := fragmentOf(trafOf(1, 0, keyFirst...))
	first, second := videoAndSound(), slices.Concat(box("ftyp"), box("free", []byte("x")), initOf(trackBox(1, "vide", 1))[16:])
	frames := cut(t, New(FMP4), slices.Concat(first, key, second, key), 7)
	at := cleanOnes(frames)
	if len(at) != 2 || !bytes.Equal(frames[at[0]].Header, first) || !bytes.Equal(frames[at[1]].Header, second) {
		t.Errorf("%d clean frames, or not with their init segments", len(at))
	}
}

// TestFragmentTimes: by one track's times, whatever the others say.
func TestFragmentTimes(t *testing.T) {
	late := func(at uint64) []byte {
		tfdt := binary.BigEndian.AppendUint64(words(1<<24), at)
		return fragmentOf(box("traf", box("tfhd", words(0, 1)), box("tfdt", tfdt), box("trun", words(keyFirst...))))
	}
	video := func(at uint32) []byte { return fragmentOf(trafOf(1, at, keyFirst...)) }
	sound := func(at uint32) []byte { return fragmentOf(trafOf(2, at, 0, 2)) }
	for name, c := range map[string]struct {
		parts [][]byte
		want  time.Duration
	}{
		"one track":           {[][]byte{video(5000), video(6000), video(7000)}, 2 * time.Second},
		"two tracks":          {[][]byte{video(5000), sound(900), video(6000), sound(1900)}, time.Second},
		"begins anew":         {[][]byte{video(5000), video(6000), video(0), video(500)}, 2500 * time.Millisecond},
		"times of 64 bits":    {[][]byte{late(1 << 40), late(1<<40 + 1000)}, time.Second},
		"the largest time":    {[][]byte{late(1<<64 - 1), late(0), late(1<<63 - 1), late(1 << 63)}, 0},
		"another init":        {[][]byte{video(5000), video(6000), initOf(trackBox(1, "vide", 0)), video(0), video(1000)}, 3 * time.Second},
		"a fragment has none": {[][]byte{video(0), fragmentOf(box("traf", box("tfhd", words(0, 1)))), video(1000)}, time.Second},
	} {
		last := lastTime(cut(t, New(FMP4), slices.Concat(videoAndSound(), slices.Concat(c.parts...)), 100))
		if c.want == 0 { // whatever it is, it has not run away
			if last < 0 || last > time.Minute {
				t.Errorf("%s: %v", name, last)
			}
		} else if last != c.want {
			t.Errorf("%s: %v, want %v", name, last, c.want)
		}
	}
}

// TestClockOfHighRate: ten seconds of a clock of gigahertz.
func TestClockOfHighRate(t *testing.T) {
	const hz = 1<<32 - 1
	c := clock{hz: hz}
	c.tick(0, false)
	if got, broke := c.tick(9*hz+hz/2, false); got.Round(time.Millisecond) != 9500*time.Millisecond || broke {
		t.Errorf("%v, broken off %v", got, broke)
	}
}

// TestMemoryOfBoxes: lengths that are announced cost nothing.
func TestMemoryOfBoxes(t *testing.T) {
	for name, head := range map[string][]byte{
		"moof of 4 GiB": words(1<<32-1, 0x6d6f6f66), "mdat of 2^63": append(words(1, 0x6d646174), words(1<<31-1, 1<<32-1)...),
	} {
		f := New(FMP4).(*fragments)
		f.Push(slices.Concat(videoAndSound(), head))
		piece := make([]byte, 64<<10)
		for range 1000 {
			f.Push(piece)
			for _, ok := f.Next(); ok; _, ok = f.Next() {
			}
			if n := cap(f.b); n > 1<<20 {
				t.Fatalf("%s: %d bytes are held", name, n)
			}
		}
	}
}
