package demo

import (
	"bytes"
	"fmt"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
)

// cut is one track on the endless timeline: sample i of the timeline is sample
// i modulo the clip's length of the clip, at i sample durations after Anchor.
//
// Chunks are numbered on from Anchor as well, and chunk c holds the samples
// that begin in [c, c+1) chunk durations. Audio frames do not fit evenly, so
// audio chunks hold one frame more or less by turns and are never off by a
// whole frame; over 8 s it evens out.
type cut struct {
	*track
	chunkTicks int64 // chunk duration in units of the track's timescale
	perSegment int64 // chunks per segment
	firstChunk int64 // of the run; it gets sequence number 1
}

func newCut(t *track, o Options, firstSegment int64) *cut {
	perSegment := int64(o.SegmentDuration / o.ChunkDuration)
	return &cut{
		track:      t,
		chunkTicks: int64(o.ChunkDuration) * t.timescale / int64(time.Second),
		perSegment: perSegment,
		firstChunk: firstSegment * perSegment,
	}
}

// first returns the first sample of chunk c.
func (u *cut) first(c int64) int64 {
	return (c*u.chunkTicks + u.sampleDur - 1) / u.sampleDur
}

// at returns when sample i begins.
func (u *cut) at(i int64) time.Time {
	ticks := i * u.sampleDur
	seconds, rest := ticks/u.timescale, ticks%u.timescale
	return Anchor.Add(time.Duration(seconds)*time.Second + time.Duration(rest)*time.Second/time.Duration(u.timescale))
}

// due returns when the last sample of chunk k of segment n has passed.
func (u *cut) due(n, k int64) time.Time {
	return u.at(u.first(n*u.perSegment + k + 1))
}

// begin returns when the first sample of segment n begins.
func (u *cut) begin(n int64) time.Time {
	return u.at(u.first(n * u.perSegment))
}

// chunk returns chunk k of segment n: prft, moof and mdat, behind a styp if it
// is the segment's first. The caller owns the bytes.
func (u *cut) chunk(n, k int64) ([]byte, error) {
	c := n*u.perSegment + k
	frag, err := mp4.CreateFragment(uint32(c-u.firstChunk+1), u.id)
	if err != nil {
		return nil, fmt.Errorf("making chunk %d of %s: %w", k, u.segmentName(n), err)
	}
	frag.EncOptimize = mp4.OptimizeTrun
	for i := u.first(c); i < u.first(c+1); i++ {
		s := u.samples[i%int64(len(u.samples))]
		s.DecodeTime = uint64(i * u.sampleDur)
		frag.AddFullSample(s)
	}
	var b bytes.Buffer
	if k == 0 {
		err = mp4.NewStyp("cmfs", 0, []string{"cmfs", "cmfl", "msdh"}).Encode(&b)
	}
	if err == nil {
		err = u.prft(u.first(c)).Encode(&b)
	}
	if err == nil {
		err = frag.Encode(&b)
	}
	if err != nil {
		return nil, fmt.Errorf("writing chunk %d of %s: %w", k, u.segmentName(n), err)
	}
	return b.Bytes(), nil
}

// prft gives the time at which sample i went into the encoder, had there been
// one (ISO/IEC 14496-12, 8.16.5).
func (u *cut) prft(i int64) *mp4.PrftBox {
	return mp4.CreatePrftBox(1, mp4.PrftTimeEncoderInput, u.id, ntp(u.at(i)), uint64(i*u.sampleDur))
}

// ntp converts to the 64-bit format of RFC 5905: seconds since 1900 and their
// fractions in 2^-32.
func ntp(t time.Time) mp4.NTP64 {
	const to1970 = 2208988800
	return mp4.NTP64(uint64(t.Unix()+to1970)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second))
}

// bandwidth returns the bits per second of the largest segment of a loop.
func (u *cut) bandwidth() (int, error) {
	var most int64
	for n := range int64(8) {
		var size int64
		for k := range u.perSegment {
			c, err := u.chunk(n, k)
			if err != nil {
				return 0, err
			}
			size += int64(len(c))
		}
		most = max(most, size)
	}
	return int(most * 8 * u.timescale / (u.chunkTicks * u.perSegment)), nil
}
