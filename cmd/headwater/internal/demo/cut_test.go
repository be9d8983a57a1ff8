package demo

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
)

func defaults(t *testing.T) Options {
	t.Helper()
	o := Options{Base: "http://origin/demo"}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	return o
}

// cutsFrom returns the clip's tracks, video first, cut by o.
func cutsFrom(t *testing.T, o Options, firstSegment int64) []*cut {
	t.Helper()
	tracks, err := loadClip()
	if err != nil {
		t.Fatal(err)
	}
	return []*cut{newCut(tracks[0], o, firstSegment), newCut(tracks[1], o, firstSegment)}
}

func segmentBytes(t *testing.T, u *cut, n int64) []byte {
	t.Helper()
	var b []byte
	for k := range u.perSegment {
		c, err := u.chunk(n, k)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, c...)
	}
	return b
}

// decode parses a segment, which must be a styp and then prft, moof and mdat
// again and again.
func decode(t *testing.T, u *cut, segment []byte) ([]*mp4.Fragment, []*mp4.PrftBox) {
	t.Helper()
	f, err := mp4.DecodeFile(bytes.NewReader(append(bytes.Clone(u.init), segment...)))
	if err != nil {
		t.Fatalf("decoding: %v", err)
	}
	var prfts []*mp4.PrftBox
	for i, box := range f.Children {
		want := "prft moof mdat"[(i % 3 * 5):][:4]
		if i < 3 {
			want = "ftyp moov styp"[(i * 5):][:4]
		}
		if box.Type() != want {
			t.Fatalf("box %d is %s, want %s", i, box.Type(), want)
		}
		if prft, ok := box.(*mp4.PrftBox); ok {
			prfts = append(prfts, prft)
		}
	}
	return f.Segments[0].Fragments, prfts
}

func TestClip(t *testing.T) {
	cuts := cutsFrom(t, defaults(t), 0)
	size := 0
	for i, want := range []struct {
		codec   string
		samples int
	}{{"avc1.64001f", 200}, {"mp4a.40.2", 375}} {
		u := cuts[i]
		if u.codec != want.codec || len(u.samples) != want.samples {
			t.Errorf("%s: %s with %d samples, want %s with %d", u.name, u.codec, len(u.samples), want.codec, want.samples)
		}
		if got := int64(len(u.samples)) * u.sampleDur; got != 8*u.timescale {
			t.Errorf("%s lasts %d/%d s, want exactly 8 s", u.name, got, u.timescale)
		}
		for j, s := range u.samples {
			if int64(s.Dur) != u.sampleDur || s.CompositionTimeOffset != 0 {
				t.Fatalf("%s: sample %d lasts %d and is shown %d late", u.name, j, s.Dur, s.CompositionTimeOffset)
			}
		}
		raw, _ := clip.ReadFile("clip/" + u.name + ".mp4")
		size += len(raw)
	}
	if size >= 1<<20 {
		t.Errorf("the clip has %d bytes, want less than 1 MB", size)
	}
}

// Both tracks must go on across the seam and everywhere else without a gap or
// an overlap, for many loops.
func TestTimelineGoesOn(t *testing.T) {
	const first, count = 850_000_001, 400 // 100 loops
	o := defaults(t)
	for _, u := range cutsFrom(t, o, first) {
		next := u.first(first * u.perSegment) // sample
		trex := &mp4.TrexBox{TrackID: u.id}
		sequence := uint32(0)
		for n := int64(first); n < first+count; n++ {
			frags, prfts := decode(t, u, segmentBytes(t, u, n))
			if int64(len(frags)) != u.perSegment {
				t.Fatalf("%s: %d chunks, want %d", u.segmentName(n), len(frags), u.perSegment)
			}
			if !firstIsSync(t, frags[0], trex) {
				t.Fatalf("%s does not begin with a sync sample", u.segmentName(n))
			}
			for k, frag := range frags {
				sequence++
				if got := frag.Moof.Mfhd.SequenceNumber; got != sequence {
					t.Fatalf("%s, chunk %d: sequence number %d, want %d", u.segmentName(n), k, got, sequence)
				}
				checkPrft(t, u, prfts[k], frag)
				next = checkSamples(t, u, frag, trex, next)
			}
		}
		seconds := int64(count) * int64(o.SegmentDuration/time.Second)
		if got, want := (next-u.first(first*u.perSegment))*u.sampleDur, seconds*u.timescale; got != want {
			t.Errorf("%s: %d loops last %d, want %d", u.name, count/4, got, want)
		}
	}
}

func firstIsSync(t *testing.T, frag *mp4.Fragment, trex *mp4.TrexBox) bool {
	t.Helper()
	samples, err := frag.GetFullSamples(trex)
	if err != nil {
		t.Fatal(err)
	}
	return samples[0].IsSync()
}

// checkSamples wants the chunk to go on at sample next of the timeline and
// returns the one after the chunk.
func checkSamples(t *testing.T, u *cut, frag *mp4.Fragment, trex *mp4.TrexBox, next int64) int64 {
	t.Helper()
	samples, err := frag.GetFullSamples(trex)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(samples); u.width > 0 && n != 5 || u.width == 0 && n != 9 && n != 10 {
		t.Fatalf("%s: %d samples in a chunk", u.name, n)
	}
	for _, s := range samples {
		want := u.samples[next%int64(len(u.samples))]
		if s.DecodeTime != uint64(next*u.sampleDur) {
			t.Fatalf("%s: sample at %d, want %d", u.name, s.DecodeTime, next*u.sampleDur)
		}
		if !bytes.Equal(s.Data, want.Data) || s.Flags != want.Flags || s.Dur != want.Dur {
			t.Fatalf("%s: sample %d is not the clip's sample %d", u.name, next, next%int64(len(u.samples)))
		}
		next++
	}
	return next
}

func checkPrft(t *testing.T, u *cut, prft *mp4.PrftBox, frag *mp4.Fragment) {
	t.Helper()
	if got, want := prft.MediaTime, frag.Moof.Traf.Tfdt.BaseMediaDecodeTime(); got != want {
		t.Fatalf("%s: prft speaks of media time %d, the chunk begins at %d", u.name, got, want)
	}
	want := float64(prft.MediaTime)/float64(u.timescale) + float64(Anchor.Unix())
	if got := prft.NTPTimestamp.UTC(); math.Abs(got-want) > 1e-5 {
		t.Fatalf("%s: prft gives %f, want %f", u.name, got, want)
	}
}

// A chunk may be late or early by less than a sample against the clock, in
// the year 2200 too.
func TestChunksKeepToTheClock(t *testing.T) {
	o := defaults(t)
	for _, u := range cutsFrom(t, o, 0) {
		sample := time.Duration(u.sampleDur) * time.Second / time.Duration(u.timescale)
		for _, n := range []int64{0, 1, 2, 3, 4, 850_000_000, 850_000_001, 850_000_003, 3_600_000_001} {
			for k := range u.perSegment {
				due := Anchor.Add(time.Duration(n)*o.SegmentDuration + time.Duration(k+1)*o.ChunkDuration)
				if late := u.due(n, k).Sub(due); late < 0 || late >= sample {
					t.Errorf("%s: chunk %d due %v after its time", u.segmentName(n), k, late)
				}
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o  Options
		ok bool
	}{
		{Options{Base: "http://h/x/"}, true},
		{Options{Base: "https://h", SegmentDuration: 4 * time.Second, ChunkDuration: 400 * time.Millisecond}, true},
		{Options{}, false},
		{Options{Base: "ftp://h/x"}, false},
		{Options{Base: "http://"}, false},
		{Options{Base: "http://h", SegmentDuration: 1500 * time.Millisecond}, false},
		{Options{Base: "http://h", SegmentDuration: -2 * time.Second}, false},
		{Options{Base: "http://h", ChunkDuration: 100 * time.Millisecond}, false},
		{Options{Base: "http://h", ChunkDuration: 240 * time.Millisecond}, false},
	} {
		if err := c.o.complete(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	if err := Run(t.Context(), Options{}); err == nil {
		t.Error("Run without a base URL returned no error")
	}
}
