package framing

import "encoding/binary"

// boxes calls visit with type and payload of each whole box of b, in order. What
// follows something that is none is not looked at.
func boxes(b []byte, visit func(kind string, payload []byte)) {
	for {
		kind, size, ok := boxHead(b)
		if !ok || size > int64(len(b)) {
			return
		}
		head := 8
		if binary.BigEndian.Uint32(b) == 1 {
			head = 16
		}
		visit(kind, b[head:size])
		b = b[size:]
	}
}

// number returns the four bytes at an offset of a box, or 0 behind its end.
func number(b []byte, at int) uint32 {
	if at+4 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint32(b[at:])
}

// track is what an init segment says of a track.
type track struct {
	scale int64  // ticks a second
	flags uint32 // of samples that have none of their own
	video bool
}

type tracks map[uint32]track

// readTracks reads the payload of a moov box. Without an mvex box in it the file
// is not fragmented.
func readTracks(moov []byte) (all tracks, fragmented bool) {
	all = tracks{}
	flags := map[uint32]uint32{}
	boxes(moov, func(kind string, b []byte) {
		switch kind {
		case "trak":
			if id, t := readTrack(b); id != 0 && t.scale != 0 {
				all[id] = t
			}
		case "mvex":
			fragmented = true
			boxes(b, func(kind string, b []byte) {
				if kind == "trex" {
					flags[number(b, 4)] = number(b, 20)
				}
			})
		}
	})
	for id, t := range all {
		t.flags = flags[id]
		all[id] = t
	}
	return all, fragmented
}

// versioned returns the number that stands at one of two offsets, by the box's
// version.
func versioned(b []byte, at0, at1 int) uint32 {
	if len(b) > 0 && b[0] == 1 {
		return number(b, at1)
	}
	return number(b, at0)
}

// readTrack reads the payload of a trak box.
func readTrack(trak []byte) (id uint32, t track) {
	boxes(trak, func(kind string, b []byte) {
		switch kind {
		case "tkhd":
			id = versioned(b, 12, 20)
		case "mdia":
			boxes(b, func(kind string, b []byte) {
				switch kind {
				case "mdhd":
					t.scale = int64(versioned(b, 12, 20))
				case "hdlr":
					t.video = number(b, 8) == 0x76696465 // vide
				}
			})
		}
	})
	return id, t
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
	key   bool // the video can be understood from some sample on
	times []decodeTime
}

// decodeTime is when the first sample of a track is decoded.
type decodeTime struct {
	track         uint32
	decode, scale int64
}

// readFragment reads the payload of a moof box. A viewer begins with a sync
// sample of the video; where there is none, anywhere.
func readFragment(moof []byte, known tracks) (f fragment) {
	f.clean = !known.haveVideo()
	boxes(moof, func(kind string, b []byte) {
		if kind != "traf" {
			return
		}
		id, r := readRun(b, known)
		of, ok := known[id]
		if !ok {
			return
		}
		if r.timed {
			f.times = append(f.times, decodeTime{track: id, decode: r.decode, scale: of.scale})
		}
		if of.video {
			f.clean, f.key = f.clean || r.first, f.key || r.some
		}
	})
	return f
}

// run is what a traf box says.
type run struct {
	timed       bool
	decode      int64
	samples     bool // there are some
	first, some bool // the first is a sync sample; and any
}

// readRun reads the payload of a traf box (ISO/IEC 14496-12, 8.8).
func readRun(traf []byte, known tracks) (id uint32, r run) {
	var flags uint32 // of samples that have none of their own
	boxes(traf, func(kind string, b []byte) {
		switch kind {
		case "tfhd":
			id = number(b, 4)
			flags = headFlags(b, known[id].flags)
		case "tfdt":
			r.timed, r.decode = len(b) >= 8, int64(number(b, 4))
			if len(b) >= 12 && b[0] == 1 {
				r.decode = int64(binary.BigEndian.Uint64(b[4:])) //nolint:gosec // what is too long is a break of the clock
			}
		case "trun":
			r.add(b, flags)
		}
	})
	return id, r
}

// headFlags returns the flags that a tfhd box gives, or those of the track.
func headFlags(tfhd []byte, flags uint32) uint32 {
	has, at := number(tfhd, 0), 8
	for _, field := range []struct {
		bit  uint32
		size int
	}{{0x1, 8}, {0x2, 4}, {0x8, 4}, {0x10, 4}} {
		if has&field.bit != 0 {
			at += field.size
		}
	}
	if has&0x20 != 0 && at+4 <= len(tfhd) {
		return number(tfhd, at)
	}
	return flags
}

// add looks at the samples of a trun box.
func (r *run) add(trun []byte, flags uint32) {
	has, count, at := number(trun, 0), int64(number(trun, 4)), 8
	if has&0x1 != 0 {
		at += 4
	}
	first := flags
	if has&0x4 != 0 {
		first = number(trun, at)
		at += 4
	}
	size, flagsAt := 0, 0 // of a sample, and in it
	for bit := uint32(0x100); bit <= 0x800; bit <<= 1 {
		if bit == 0x400 {
			flagsAt = size
		}
		if has&bit != 0 {
			size += 4
		}
	}
	if size == 0 {
		count = min(count, 2) // all but the first are alike
	}
	for i := int64(0); i < count && at+size <= len(trun); i, at = i+1, at+size {
		of := flags
		switch {
		case i == 0 && has&0x4 != 0:
			of = first
		case has&0x400 != 0:
			of = number(trun, at+flagsAt)
		}
		r.sample(isSync(of))
	}
}

// sample notes the next sample.
func (r *run) sample(sync bool) {
	if !r.samples {
		r.samples, r.first = true, sync
	}
	r.some = r.some || sync
}

func isSync(flags uint32) bool { return flags&0x10000 == 0 }
