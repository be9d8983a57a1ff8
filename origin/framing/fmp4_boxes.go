package framing

import (
	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// track is what an init segment says of a track.
type track struct {
	scale int64  // ticks a second
	flags uint32 // of samples that have none of their own
	video bool
}

type tracks map[uint32]track

// decode returns a box, or nil when it cannot be understood.
func decode(b []byte) mp4.Box {
	box, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(b))
	if err != nil {
		return nil
	}
	return box
}

// readTracks reads a moov box.
func readTracks(b []byte) tracks {
	moov, ok := decode(b).(*mp4.MoovBox)
	if !ok {
		return nil
	}
	all := tracks{}
	for _, t := range moov.Traks {
		if t.Tkhd == nil || t.Mdia == nil || t.Mdia.Mdhd == nil || t.Mdia.Mdhd.Timescale == 0 {
			continue
		}
		all[t.Tkhd.TrackID] = track{
			scale: int64(t.Mdia.Mdhd.Timescale),
			video: t.Mdia.Hdlr != nil && t.Mdia.Hdlr.HandlerType == "vide",
		}
	}
	if moov.Mvex != nil {
		for _, x := range moov.Mvex.Trexs {
			if t, ok := all[x.TrackID]; ok {
				t.flags = x.DefaultSampleFlags
				all[x.TrackID] = t
			}
		}
	}
	return all
}

func (t tracks) haveVideo() bool {
	for _, one := range t {
		if one.video {
			return true
		}
	}
	return false
}

// fragment is what a moof box says.
type fragment struct {
	clean bool // a viewer may begin with it
	times []decodeTime
}

// decodeTime is when the first sample of a track is decoded.
type decodeTime struct {
	track         uint32
	decode, scale int64
}

// readFragment reads a moof box. A viewer begins with a sync sample of the video;
// where there is none, anywhere.
func readFragment(b []byte, known tracks) (f fragment) {
	moof, ok := decode(b).(*mp4.MoofBox)
	if !ok {
		return fragment{}
	}
	f.clean = !known.haveVideo()
	for _, t := range moof.Trafs {
		if t.Tfhd == nil {
			continue
		}
		of, ok := known[t.Tfhd.TrackID]
		if !ok {
			continue
		}
		if t.Tfdt != nil {
			at := int64(t.Tfdt.BaseMediaDecodeTime()) //nolint:gosec // what is too long is a break of the clock
			f.times = append(f.times, decodeTime{track: t.Tfhd.TrackID, decode: at, scale: of.scale})
		}
		if of.video && t.Trun != nil && isSync(firstFlags(t, of)) {
			f.clean = true
		}
	}
	return f
}

// firstFlags returns the flags of the first sample (ISO/IEC 14496-12, 8.8.8).
func firstFlags(t *mp4.TrafBox, of track) uint32 {
	if flags, ok := t.Trun.FirstSampleFlags(); ok {
		return flags
	}
	switch {
	case t.Trun.HasSampleFlags() && len(t.Trun.Samples) > 0:
		return t.Trun.Samples[0].Flags
	case t.Tfhd.HasDefaultSampleFlags():
		return t.Tfhd.DefaultSampleFlags
	}
	return of.flags
}

func isSync(flags uint32) bool { return flags&0x10000 == 0 }
