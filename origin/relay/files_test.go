package relay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ffmpeg makes a file of a second of test media and returns its path.
func ffmpeg(t *testing.T, name, args string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = "-hide_banner -nostdin -v error -f lavfi -i testsrc=size=160x120:rate=25 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 1 " + args
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", append(strings.Fields(args), path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg (Debian package ffmpeg) is needed: %v\n%s", err, out)
	}
	return path
}

// TestFileTakesItsTime: a file of a second takes about that long by its own
// times, whatever its name says and however it came in, and comes out whole.
func TestFileTakesItsTime(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(raw, bytes.Repeat([]byte{1}, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "tagged")
	mp3, err := os.ReadFile(ffmpeg(t, "a.mp3", "-map 1 -c:a libmp3lame -write_xing 0 -id3v2_version 0"))
	if err != nil {
		t.Fatal(err)
	}
	tag := append([]byte("ID3\x04\x00\x00\x00\x08\x00\x00"), make([]byte, 128<<10)...)
	if err := os.WriteFile(picture, append(tag, mp3...), 0o600); err != nil {
		t.Fatal(err)
	}
	const fragmented = "-f mp4 -movflags frag_every_frame+empty_moov+default_base_moof "
	for name, c := range map[string]struct {
		path string
		opt  Options
		want int // bytes that are not given out, of what stands before the sound
	}{
		"MP3":                  {ffmpeg(t, "a.mp3", "-map 1 -c:a libmp3lame -write_xing 0 -id3v2_version 0"), Options{}, 0},
		"MP3 with a picture":   {picture, Options{Name: "radio"}, len(tag)},
		"ADTS":                 {ffmpeg(t, "a.aac", "-map 1 -c:a aac"), Options{}, 0},
		"TS":                   {ffmpeg(t, "a.ts", "-map 0 -c:v libx264 -g 25 -f mpegts"), Options{Name: "radio"}, 0},
		"fragmented MP4":       {ffmpeg(t, "a.mp4", "-map 0 -c:v libx264 -g 25 "+fragmented), Options{}, 0},
		"other MP4, by rate":   {ffmpeg(t, "b.mp4", "-map 0 -c:v libx264 -b:v 40k"), Options{}, 0},
		"anything, by rate":    {raw, Options{Rate: 800_000}, 0},
		"standard input, rate": {"-", Options{Rate: 800_000, Pace: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := c.path
			if path == "-" {
				path = raw
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "other") {
				c.opt.Rate = int64(len(data)) * 8
			}
			var in Input = File{Path: path}
			if c.path == "-" {
				file, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = file.Close() })
				in = Stdin{File: file}
			}
			c.opt.Hold = true
			r := New(c.opt, in)
			start(t, r)
			began := time.Now()
			got := read(t, join(t, r)).end(io.EOF)
			took := time.Since(began)
			if want := string(data[c.want:]); !strings.HasSuffix(want, got) || len(want)-len(got) > 2*packetSize {
				t.Errorf("%d bytes of %d, or others", len(got), len(want))
			}
			if took < 500*time.Millisecond || took > bound {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestFileThatGoes: a file that cannot be opened any more ends its listeners with
// an error, and is tried again for the next.
func TestFileThatGoes(t *testing.T) {
	path := t.TempDir() + "/odd name ü 'x' & \"y\" %41?a#b:c.txt"
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := ParseInput("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{Hold: true, Reopen: true}, in)
	start(t, r)
	if got := read(t, join(t, r)).end(io.EOF); got != "text" {
		t.Errorf("%q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	read(t, join(t, r)).end(os.ErrNotExist)
	if err := os.WriteFile(path, []byte("again"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, join(t, r)).end(io.EOF); got != "again" {
		t.Errorf("%q", got)
	}
}

// TestStdinEnds: of a pipe whose writer goes, all that it wrote comes.
func TestStdinEnds(t *testing.T) {
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pr.Close() })
	r := newTest(Options{}, Stdin{File: pr})
	over := start(t, r)
	l := read(t, join(t, r))
	go func() {
		_, _ = io.WriteString(pw, "K1\nK2\n")
		_ = pw.Close()
	}()
	if got := l.end(io.EOF); got != "K1\nK2\n" {
		t.Errorf("%q", got)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	if _, err := r.Join(t.Context()); !errors.Is(err, ErrOver) {
		t.Error(err)
	}
}

// TestNames: an extension of the resource's name tells more than the input's.
func TestNames(t *testing.T) {
	for _, c := range []struct{ resource, input, want string }{
		{"live.mp3", "a.ts", "live.mp3"}, {"live", "/media/a.ts", "/media/a.ts"}, {"live", "exec:ffmpeg", "live"}, {"", "a.ts", "a.ts"}, {"live", "", "live"},
	} {
		p := pump{relay: New(Options{Name: c.resource}, nil), src: source{name: c.input}}
		if got := p.name(); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.resource, c.input, got, c.want)
		}
	}
}

// TestSmallBeginnings: few bytes tell nothing, unless they cannot be anything
// else.
func TestSmallBeginnings(t *testing.T) {
	for first, want := range map[string]bool{
		"": false, "G": false, "G@A1": false, "Gtext": true, "I": false, "ID3": false, "t": true, "text": true, "ID": false, "\x00": false, "\xff\xfb": false, "ID3x\x04": false,
	} {
		if got := isText([]byte(first)); got != want {
			t.Errorf("%q: %v", first, got)
		}
	}
}
