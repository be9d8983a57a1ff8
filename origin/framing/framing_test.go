package framing

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"
)

// media are streams of four seconds, as ffmpeg makes them.
var media = map[string]struct {
	format Format
	name   string
	args   string
}{
	"mp3":           {MP3, "a.mp3", "-map 1 -c:a libmp3lame -b:a 128k"},
	"mp3 variable":  {MP3, "a.mp3", "-map 1 -c:a libmp3lame -q:a 4 -ar 22050"},
	"mp2":           {MP3, "a.mp2", "-map 1 -c:a mp2 -ar 48000"},
	"adts":          {ADTS, "a.aac", "-map 1 -c:a aac"},
	"ts":            {TS, "a.ts", "-c:v libx264 -g 25 -c:a aac -f mpegts"},
	"ts mpeg-2":     {TS, "a.ts", "-map 0 -c:v mpeg2video -g 10 -f mpegts"},
	"ts audio":      {TS, "a.ts", "-map 1 -c:a aac -f mpegts"},
	"fmp4":          {FMP4, "a.mp4", "-c:v libx264 -g 25 -c:a aac -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof"},
	"fmp4 by frame": {FMP4, "a.mp4", "-map 0 -c:v libx264 -g 25 -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof"},
	"fmp4 audio":    {FMP4, "a.mp4", "-map 1 -c:a aac -f mp4 -frag_duration 500000 -movflags empty_moov+default_base_moof"},
}

// TestRealMedia: whatever the pieces that a stream comes in, the same frames come
// out, with the time that has passed; who begins at any clean one, decodes it.
func TestRealMedia(t *testing.T) {
	for name, m := range media {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := ffmpeg(t, m.name, m.args)
			if got := Detect("", "", data[:min(len(data), 4096)]); got != m.format {
				t.Fatalf("detected as %s", got)
			}
			whole := cut(t, New(m.format), data, len(data))
			if last := lastTime(whole); !near(last, 4*time.Second) && m.format != FMP4 || last < 2900*time.Millisecond {
				t.Errorf("the last time is %v", last)
			}
			for _, sizes := range [][]int{{1}, {1000, 7, 1}, {188}, {64 << 10}} {
				frames := cut(t, New(m.format), data, sizes...)
				if got, want := len(cleanOnes(frames)), len(cleanOnes(whole)); got != want {
					t.Errorf("in pieces of %d: %d clean frames, not %d", sizes, got, want)
				}
			}
			clean := cleanOnes(whole)
			if len(clean) < 3 {
				t.Fatalf("%d clean frames", len(clean))
			}
			for _, i := range []int{clean[0], clean[1], clean[len(clean)/2]} {
				mustDecode(t, append(bytes.Clone(whole[i].Header), join(whole[i:])...))
			}
		})
	}
}

// TestCleanIsWhereKeyFramesAre counts them with ffprobe.
func TestCleanIsWhereKeyFramesAre(t *testing.T) {
	for _, name := range []string{"ts", "ts mpeg-2", "fmp4", "fmp4 by frame"} {
		data := ffmpeg(t, media[name].name, media[name].args)
		keys := 0
		for _, flags := range probe(t, data, "-select_streams v -show_entries packet=flags") {
			if flags[0] == 'K' {
				keys++
			}
		}
		if got := len(cleanOnes(cut(t, New(media[name].format), data, 10_000))); got != keys {
			t.Errorf("%s: %d clean frames, %d key frames", name, got, keys)
		}
	}
}

// TestAudioFrames: each packet of ffprobe's is a frame.
func TestAudioFrames(t *testing.T) {
	for _, name := range []string{"mp2", "adts"} {
		data := ffmpeg(t, media[name].name, media[name].args)
		packets := probe(t, data, "-show_entries packet=size")
		var sizes []string
		for _, f := range cut(t, New(media[name].format), data, 777) {
			if f.Clean {
				sizes = append(sizes, fmt.Sprint(len(f.Data)))
			}
		}
		if !slices.Equal(sizes, packets) {
			t.Errorf("%s: %d frames, %d packets", name, len(sizes), len(packets))
		}
	}
}

// TestUnmarkedAccess: without the marks of the stream the pictures tell.
func TestUnmarkedAccess(t *testing.T) {
	for _, name := range []string{"ts", "ts mpeg-2"} {
		data := ffmpeg(t, media[name].name, media[name].args)
		want := len(cleanOnes(cut(t, New(TS), data, 5000)))
		for i := 0; i+packetBytes <= len(data); i += packetBytes {
			if p := packet(data[i : i+packetBytes]); p.adaptation() != nil {
				p[5] &^= 0x40
			}
		}
		if got := len(cleanOnes(cut(t, New(TS), data, 5000))); got != want {
			t.Errorf("%s: %d clean frames without marks, %d with", name, got, want)
		}
	}
}

// TestGarbage: what is no frame goes by, and after it frames are found again.
func TestGarbage(t *testing.T) {
	garbage := bytes.Repeat([]byte{0xff, 0xfb, 0x47, 0, 'I', 'D', '3', 0x55}, 100)
	for _, name := range []string{"mp3", "adts", "ts"} {
		m := media[name]
		data := ffmpeg(t, m.name, m.args)
		want := len(cleanOnes(cut(t, New(m.format), data, 5000)))
		middle := len(data) / 2 / packetBytes * packetBytes
		dirty := slices.Concat(garbage, data[:middle], garbage, data[middle:])
		got := len(cleanOnes(cut(t, New(m.format), dirty, 1000, 3)))
		if got < want-2 || got > want {
			t.Errorf("%s: %d clean frames with garbage, %d without", name, got, want)
		}
	}
}

// TestTags: an ID3 tag before the frames is not looked into.
func TestTags(t *testing.T) {
	data := ffmpeg(t, "a.mp3", media["mp3"].args+" -id3v2_version 0 -write_xing 0")
	want := cleanOnes(cut(t, New(MP3), data, 5000))
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x10\x00"), bytes.Repeat(data[:512], 4)...)
	tagged := slices.Concat(tag, data, []byte("TAG"), make([]byte, 125))
	if got := cleanOnes(cut(t, New(MP3), tagged, 100)); len(got) != len(want) {
		t.Errorf("%d frames with tags, %d without", len(got), len(want))
	}
	if Detect("", "", tagged[:10]) != Raw || Detect("", "audio/mpeg", tagged[:10]) != MP3 || Detect("", "", tagged[:4000]) != MP3 {
		t.Error("the tag is not seen through")
	}
}

// TestJoined: a stream whose clock begins anew goes on where it was.
func TestJoined(t *testing.T) {
	for _, name := range []string{"ts", "fmp4"} {
		data := ffmpeg(t, media[name].name, media[name].args)
		once := lastTime(cut(t, New(media[name].format), data, 5000))
		if twice := lastTime(cut(t, New(media[name].format), append(bytes.Clone(data), data...), 5000)); !near(twice, 2*once+40*time.Millisecond) && twice < 2*once {
			t.Errorf("%s: once %v, twice %v", name, once, twice)
		}
	}
}

func TestClock(t *testing.T) {
	c := clock{hz: 1000, wrap: 100_000}
	for i, s := range []struct {
		v      int64
		broken bool
		want   int // ms
	}{
		{99_000, false, 0}, {99_500, false, 500}, {100, false, 1100}, {700, false, 1700},
		{50_000, false, 2300}, {50_100, false, 2400}, {50_000, false, 2500}, {50_010, true, 2600}, {50_020, false, 2610},
	} {
		if got, _ := c.tick(s.v, s.broken); got != time.Duration(s.want)*time.Millisecond {
			t.Errorf("step %d: %v, want %v ms", i, got, s.want)
		}
	}
}

func TestDetect(t *testing.T) {
	packets := bytes.Repeat(append([]byte{syncByte}, make([]byte, packetBytes-1)...), 3)
	for _, c := range []struct {
		name, contentType string
		first             []byte
		want              Format
	}{
		{"", "", nil, Raw},
		{"a.mp3", "", nil, MP3},
		{"a.MP3", "audio/aac; x=y", nil, ADTS},
		{"a.txt", "video/mp2t", nil, TS},
		{"a.mp3", "", packets, TS},
		{"", "", packets[:100], Raw},
		{"a.ts", "", packets[:100], TS},
		{"a.ts", "", []byte("ID3"), TS},
		{"a.ts", "", bytes.Repeat([]byte("text"), 200), Raw},
		{"a.mp3", "", bytes.Repeat([]byte("text"), 2000), Raw},
		{"a.aac", "", bytes.Repeat([]byte("text"), 2000), Raw},
		{"a.mp4", "", []byte("\x00\x00\x00\x00\x01\x02\x03\x04"), Raw},
		{"a.mp4", "", []byte("\x00\x00\x00\x10free"), FMP4},
		{"", "", []byte("\x00\x00\x00\x18ftyp"), FMP4},
		{"a.ogg", "", []byte("OggS\x00\x02\x00\x00"), Raw},
	} {
		if got := Detect(c.name, c.contentType, c.first); got != c.want {
			t.Errorf("%q %q %.10q: %s, want %s", c.name, c.contentType, c.first, got, c.want)
		}
	}
	for f := Raw; f <= FMP4; f++ {
		if f.String() == "" || f.ContentType() == "" {
			t.Errorf("format %d has no name or no type", f)
		}
	}
	if Format(99).String() != "raw" || Format(99).ContentType() != Raw.ContentType() {
		t.Error("an unknown format is not raw")
	}
}

// TestLongBoxes: media that is too long to be held comes out in pieces behind its
// moof, and what is no box goes by.
func TestLongBoxes(t *testing.T) {
	data := ffmpeg(t, "a.mp4", media["fmp4"].args)
	moof := bytes.Index(data, []byte("moof")) - 4
	mdat := bytes.Index(data, []byte("mdat")) - 4
	long := slices.Concat(data[:mdat], []byte{0, 0x50, 0, 0}, []byte("mdat"), make([]byte, 0x500000-8), data[moof:])
	frames := cut(t, New(FMP4), long, 100_000)
	for _, f := range frames {
		if len(f.Data) > 200_000 {
			t.Fatalf("a frame of %d bytes", len(f.Data))
		}
	}
	if got, want := len(cleanOnes(frames)), 1+len(cleanOnes(cut(t, New(FMP4), data, 9999))); got != want {
		t.Errorf("%d clean frames, want %d", got, want)
	}
	for name, bad := range map[string]string{"too short": "\x00\x00\x00\x07mdat", "no name": "\x00\x00\x01\x00\x00\x00\x00\x00", "to the end": "\x00\x00\x00\x00mdat"} {
		frames := cut(t, New(FMP4), slices.Concat(data[:moof], []byte(bad), data[moof:]), 1000)
		if len(cleanOnes(frames)) != 0 {
			t.Errorf("%s: frames are found in what has no end", name)
		}
	}
}
