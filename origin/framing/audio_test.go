package framing

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// mp3Frame makes a silent frame by its header's second and third byte.
func mp3Frame(t *testing.T, second, third byte) []byte {
	t.Helper()
	head := []byte{0xff, second, third, 0xc0, 0, 0, 0, 0, 0, 0}
	h, ok := mp3Head(head)
	if !ok {
		t.Fatalf("% x is no header", head)
	}
	return append(head, make([]byte, h.size-len(head))...)
}

// adtsFrame makes a frame of the payload's length; with a checksum its header is
// two bytes longer.
func adtsFrame(payload int, crc bool) []byte {
	head := 7
	second := byte(0xf1)
	if crc {
		head, second = 9, 0xf0
	}
	size := head + payload
	b := make([]byte, size)
	copy(b, []byte{0xff, second, 0x50, 0x80 | byte(size>>11), byte(size >> 3), byte(size<<5) | 0x1f, 0xfc})
	return b
}

// TestMP3Heads: length, samples and rate of versions and layers, by the formula
// of the standard.
func TestMP3Heads(t *testing.T) {
	for name, c := range map[string]struct {
		second, third       byte
		size, samples, rate int
	}{
		"MPEG-1 layer III 128k 44.1k":         {0xfb, 0x90, 417, 1152, 44100},
		"padded":                              {0xfb, 0x92, 418, 1152, 44100},
		"with checksum":                       {0xfa, 0x90, 417, 1152, 44100},
		"MPEG-1 layer III 320k 48k":           {0xfb, 0xe4, 960, 1152, 48000},
		"MPEG-1 layer III 32k 32k":            {0xfb, 0x18, 144, 1152, 32000},
		"MPEG-1 layer II 192k 48k":            {0xfd, 0xa4, 576, 1152, 48000},
		"MPEG-1 layer I 448k 32k, padded":     {0xff, 0xea, 676, 384, 32000},
		"MPEG-2 layer III 64k 22.05k":         {0xf3, 0x80, 208, 576, 22050},
		"MPEG-2 layer III 8k 24k":             {0xf3, 0x14, 24, 576, 24000},
		"MPEG-2 layer II 64k 24k":             {0xf5, 0x84, 384, 1152, 24000},
		"MPEG-2 layer I 256k 16k":             {0xf7, 0xe8, 768, 384, 16000},
		"MPEG-2.5 layer III 32k 11.025k":      {0xe3, 0x40, 208, 576, 11025},
		"MPEG-2.5 layer III 160k 8k":          {0xe3, 0xe8, 1440, 576, 8000},
		"MPEG-2.5 layer III 8k 12k (longest)": {0xe3, 0x14, 48, 576, 12000},
	} {
		h, ok := mp3Head([]byte{0xff, c.second, c.third, 0, 0, 0, 0, 0, 0, 0})
		if !ok || h.size != c.size || h.samples != c.samples || h.rate != c.rate {
			t.Errorf("%s: %+v, %v", name, h, ok)
		}
	}
	for name, b := range map[string][]byte{
		"no sync": {0xff, 0xdb, 0x90, 0}, "version reserved": {0xff, 0xeb, 0x90, 0}, "layer reserved": {0xff, 0xf9, 0x90, 0},
		"rate reserved": {0xff, 0xfb, 0x9c, 0}, "bits reserved": {0xff, 0xfb, 0xf0, 0}, "free format": {0xff, 0xfb, 0x00, 0}, "emphasis reserved": {0xff, 0xfb, 0x90, 2},
	} {
		if _, ok := mp3Head(append(b, make([]byte, 6)...)); ok {
			t.Errorf("%s is taken for a header", name)
		}
	}
}

// TestMP3Stream: frames and their time through what happens to be between them.
func TestMP3Stream(t *testing.T) {
	frame, low := mp3Frame(t, 0xfb, 0x90), mp3Frame(t, 0xf3, 0x84)
	mono := bytes.Clone(frame)
	mono[3] = 0
	xing := bytes.Clone(frame)
	copy(xing[36:], "Info")
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x02\x00"), make([]byte, 256)...)
	lie := []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f") // 256 MB
	many := func(n int, f []byte) []byte { return bytes.Repeat(f, n) }
	ms := func(frames, samples, rate int) time.Duration {
		return time.Duration(frames*samples) * time.Second / time.Duration(rate)
	}
	for name, c := range map[string]struct {
		data  []byte
		clean int
		last  time.Duration
	}{
		"alone":                        {many(10, frame), 10, ms(9, 1152, 44100)},
		"begins in a frame":            {slices.Concat(frame[100:], many(10, frame)), 10, ms(9, 1152, 44100)},
		"length of the file":           {slices.Concat(xing, many(9, frame)), 9, ms(9, 1152, 44100)},
		"tags between":                 {slices.Concat(tag, many(5, frame), tag, many(5, frame)), 10, ms(9, 1152, 44100)},
		"a tag that lies":              {slices.Concat(lie, many(10, frame)), 10, ms(9, 1152, 44100)},
		"a tag in garbage":             {slices.Concat([]byte("garbage"), lie, many(10, frame)), 10, ms(9, 1152, 44100)},
		"mono and stereo":              {slices.Concat(many(5, frame), many(5, mono)), 10, ms(9, 1152, 44100)},
		"another rate":                 {slices.Concat(many(5, frame), many(5, low)), 10, ms(5, 1152, 44100) + ms(4, 576, 24000)},
		"a false header before":        {slices.Concat([]byte{0xff, 0xfb, 0x90, 0}, many(10, frame)), 10, ms(9, 1152, 44100)},
		"bytes lost (one made of two)": {slices.Concat(many(5, frame), frame[:200], many(5, frame)), 10, ms(9, 1152, 44100)},
		"cut short":                    {slices.Concat(many(5, frame), frame[:200]), 5, ms(4, 1152, 44100)},
		"one frame":                    {frame, 1, 0},
		"end tag":                      {slices.Concat(frame, []byte("TAG"), make([]byte, 125)), 1, 0},
	} {
		for _, size := range []int{1, 100, 5000} {
			frames := cut(t, New(MP3), c.data, size)
			near := lastTime(frames) - c.last
			if got := len(cleanOnes(frames)); got != c.clean || near < -time.Microsecond || near > time.Microsecond {
				t.Errorf("%s, in pieces of %d: %d clean frames, want %d; last %v, want %v", name, size, got, c.clean, lastTime(frames), c.last)
			}
		}
	}
}

// TestADTSStream: frames of any length, with and without checksums.
func TestADTSStream(t *testing.T) {
	for name, crc := range map[string]bool{"plain": false, "checksum": true} {
		var data []byte
		for i := range 20 {
			data = append(data, adtsFrame(10+i*400, crc)...)
		}
		frames := cut(t, New(ADTS), data, 333)
		if got, want := len(cleanOnes(frames)), 20; got != want || lastTime(frames) != time.Duration(19*1024)*time.Second/44100 {
			t.Errorf("%s: %d frames, want %d; last %v", name, got, want, lastTime(frames))
		}
		if got := Detect("", "", data[:4096]); got != ADTS {
			t.Errorf("%s: detected as %s", name, got)
		}
	}
	for name, b := range map[string][]byte{
		"too short": {0xff, 0xf1, 0x50, 0x80, 0, 0xdf, 0xfc, 0, 0, 0}, "layer": {0xff, 0xf3, 0x50, 0x80, 0x20, 0, 0xfc, 0, 0, 0}, "rate": {0xff, 0xf1, 0x74, 0x80, 0x20, 0, 0xfc, 0, 0, 0},
	} {
		if _, ok := adtsHead(b); ok {
			t.Errorf("%s: taken for a header", name)
		}
	}
	blocks := adtsFrame(100, false)
	blocks[6] |= 3
	if h, _ := adtsHead(blocks); h.samples != 4096 {
		t.Errorf("four blocks have %d samples", h.samples)
	}
}

// TestDetectInTheMiddle: a stream may begin anywhere in it.
func TestDetectInTheMiddle(t *testing.T) {
	mp3 := bytes.Repeat(mp3Frame(t, 0xfb, 0x90), 12)
	adts := bytes.Repeat(adtsFrame(300, false), 15)
	ts := bytes.Repeat(tsPacket(0x1fff, false, 0, -1, make([]byte, 100)), 21)
	picture := append([]byte("ID3\x04\x00\x00\x00\x08\x00\x00"), make([]byte, 5000)...) // 128 KiB of it
	free := bytes.Repeat(append([]byte{0xff, 0xfb, 0x00, 0xc0}, make([]byte, 300)...), 20)
	for _, c := range []struct {
		what, name, contentType string
		first                   []byte
		want                    Format
	}{
		{"MP3", "", "", mp3[100:], MP3},
		{"MP3", "a.aac", "", mp3[100:], MP3},
		{"ADTS", "", "", adts[50:], ADTS},
		{"TS", "", "", ts[77:], TS},
		{"TS", "a.ts", "", ts[77:], TS},
		{"TS, few bytes", "a.ts", "", ts[77:400], TS},
		{"TS, few bytes", "", "", ts[77:400], Raw},
		{"a tag with a picture", "", "", picture, MP3},
		{"a tag with a picture", "a.mp3", "", picture, MP3},
		{"a tag with a picture", "", "audio/aac", picture, ADTS},
		{"a tag with a picture", "a.ts", "", picture, MP3},
		{"a tag with a picture, too few bytes", "", "", picture[:100], Raw},
		{"free format", "a.mp3", "", free, Raw},
	} {
		if got := Detect(c.name, c.contentType, c.first); got != c.want {
			t.Errorf("%s %q %q: %s, want %s", c.what, c.name, c.contentType, got, c.want)
		}
	}
}
