package framing

import (
	"bytes"
	"time"
)

// audioHead is the header of an audio frame.
type audioHead struct {
	size    int // bytes, with the header
	samples int // per channel
	rate    int // Hz
	kind    uint32
}

const (
	// headBytes are enough to read any header by, an ID3 tag's, too.
	headBytes = 10
	// mostTag is how long an ID3 tag is believed to be: a wrong length must not
	// hide hours of sound.
	mostTag = 16 << 20
)

// audio cuts MPEG audio or ADTS. A frame stands at once when it is whole; only
// the first, or the first after a fault, needs the header behind it for a proof.
type audio struct {
	buffer
	head   func(b []byte) (audioHead, bool) // of headBytes at least
	tag    int                              // bytes left of an ID3 tag
	synced bool
	kind   uint32

	rate    int // Hz of what samples counts
	samples int64
	base    time.Duration // of what had other rates
}

// Next is Framer.Next.
func (a *audio) Next() (Frame, bool) {
	for {
		b := a.rest()
		if a.tag > 0 && len(b) > 0 {
			n := min(a.tag, len(b), pieceBytes)
			a.tag -= n
			return a.pass(n)
		}
		if len(b) < headBytes {
			return Frame{}, false
		}
		if n := id3Bytes(b); n > 0 {
			a.tag, a.synced = n, false
			continue
		}
		if a.synced {
			h, ok := a.head(b)
			if ok && h.kind == a.kind {
				return a.frame(h)
			}
			a.synced = false
		}
		skip, found := a.sync(b)
		if skip > 0 {
			return a.pass(skip)
		}
		if !found {
			return Frame{}, false
		}
	}
}

// sync looks for a header with another behind its frame. It returns how many
// bytes stand before it, or before what may be one.
func (a *audio) sync(b []byte) (skip int, found bool) {
	for ; skip+headBytes <= len(b); skip++ {
		if id3Bytes(b[skip:]) > 0 {
			return skip, skip == 0
		}
		h, ok := a.head(b[skip:])
		if !ok {
			continue
		}
		next := skip + h.size
		if next+headBytes > len(b) {
			return skip, false
		}
		if follows, ok := a.head(b[next:]); ok && follows.kind == h.kind || endTag(b[next:]) {
			a.synced, a.kind = true, h.kind
			return skip, true
		}
	}
	return skip, false
}

// frame takes the frame of the header once it is whole.
func (a *audio) frame(h audioHead) (Frame, bool) {
	if len(a.rest()) < h.size {
		return Frame{}, false
	}
	if h.rate != a.rate {
		a.base, a.samples, a.rate = a.now(), 0, h.rate
	}
	f := Frame{Time: a.now(), Data: a.take(h.size)}
	f.Clean = !ofFile(f.Data)
	a.samples += int64(h.samples)
	return f, true
}

// ofFile says that the frame holds no sound but the length of the file that it
// begins, which is a lie to who begins with it later.
func ofFile(frame []byte) bool {
	b := frame[:min(len(frame), 44)]
	return bytes.Contains(b, []byte("Xing")) || bytes.Contains(b, []byte("Info")) || bytes.Contains(b, []byte("VBRI"))
}

// now returns the time of the next frame.
func (a *audio) now() time.Duration {
	if a.rate == 0 {
		return 0
	}
	rate := int64(a.rate)
	part := time.Duration(a.samples%rate) * time.Second / time.Duration(rate)
	return a.base + time.Duration(a.samples/rate)*time.Second + part
}

// Flush is Framer.Flush. The last frame has no header behind it.
func (a *audio) Flush() (Frame, bool) {
	if b := a.rest(); len(b) >= headBytes {
		if h, ok := a.head(b); ok && h.size == len(b) && a.tag == 0 {
			return a.frame(h)
		}
	}
	return a.buffer.Flush()
}

// id3Bytes returns the length of the ID3v2 tag that b begins with, or 0. b has
// headBytes.
func id3Bytes(b []byte) int {
	if !bytes.HasPrefix(b, []byte("ID3")) || b[3] < 2 || b[3] > 4 || b[4] == 0xff || b[5]&0x0f != 0 || (b[6]|b[7]|b[8]|b[9])&0x80 != 0 {
		return 0
	}
	n := headBytes + int(b[6])<<21 + int(b[7])<<14 + int(b[8])<<7 + int(b[9])
	if b[5]&0x10 != 0 { // a footer
		n += headBytes
	}
	if n > mostTag {
		return 0
	}
	return n
}

// endTag says that b begins with a tag that stands behind the last frame.
func endTag(b []byte) bool {
	return bytes.HasPrefix(b, []byte("TAG")) || bytes.HasPrefix(b, []byte("APETAGEX")) || id3Bytes(b) > 0
}

// mp3Bits are kbit/s by version (MPEG-1; MPEG-2 and 2.5), layer (I, II, III) and
// index (ISO/IEC 11172-3, 2.4.2.3; 13818-3, 2.4.2.3).
var mp3Bits = [2][3][15]int{
	{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	},
	{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	},
}

// mp3Head reads the header of an MPEG audio frame. Free format is not known.
func mp3Head(b []byte) (audioHead, bool) {
	version, layer, index, freq := b[1]>>3&3, 3-int(b[1]>>1&3), b[2]>>4, b[2]>>2&3
	if b[0] != 0xff || b[1]&0xe0 != 0xe0 || version == 1 || layer == 3 || index == 0 || index == 15 || freq == 3 || b[3]&3 == 2 {
		return audioHead{}, false
	}
	rate, table := [3]int{44100, 48000, 32000}[freq], 0
	if version != 3 { // MPEG-2, and 2.5
		rate, table = rate>>((2-version)/2+1), 1
	}
	samples, pad := 1152, int(b[2]>>1&1)
	switch {
	case layer == 0:
		samples = 384
	case layer == 2 && table == 1:
		samples = 576
	}
	size := samples/8*mp3Bits[table][layer][index]*1000/rate + pad
	if layer == 0 {
		size = (12*mp3Bits[table][layer][index]*1000/rate + pad) * 4
	}
	kind := uint32(version)<<8 | uint32(layer)<<4 | uint32(freq) //nolint:gosec // two bits each
	return audioHead{size: size, samples: samples, rate: rate, kind: kind}, true
}

// adtsRates are Hz by index (ISO/IEC 14496-3, table 1.18).
var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// adtsHead reads the header of an ADTS frame (ISO/IEC 13818-7, 6.2).
func adtsHead(b []byte) (audioHead, bool) {
	index := int(b[2] >> 2 & 15)
	size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5)
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 || index >= len(adtsRates) || size < 7 {
		return audioHead{}, false
	}
	kind := uint32(b[1])<<8 | uint32(b[2])
	return audioHead{size: size, samples: 1024 * (1 + int(b[6]&3)), rate: adtsRates[index], kind: kind}, true
}
