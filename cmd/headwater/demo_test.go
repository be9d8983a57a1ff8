package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/cmd/headwater/internal/demo"
)

func TestDemo(t *testing.T) {
	p := startProgram(t, "demo", "--listen", "127.0.0.1:0")
	p.stdout.find(t, `(?m)^segment \d+  viewers \d+  chunk delay [0-9.]+(µs|ms|s)$`)
	mpd := p.stdout.find(t, `DASH  (http://127\.0\.0\.1:\d+/demo/live\.mpd)`)
	hls := p.stdout.find(t, `HLS   (http://127\.0\.0\.1:\d+/demo/master\.m3u8)`)
	if player := p.stdout.find(t, `ffplay (\S+)`); player != mpd {
		t.Errorf("ffplay gets %s, not %s", player, mpd)
	}
	if status, body := get(t, mpd); status != 200 || !strings.Contains(body, "<MPD") {
		t.Errorf("%s: status %d, %.100q", mpd, status, body)
	}
	if status, body := get(t, hls); status != 200 || !strings.HasPrefix(body, "#EXTM3U") {
		t.Errorf("%s: status %d, %.100q", hls, status, body)
	}
	p.end(t, 0)
	if got := p.stderr.String(); got != "" {
		t.Errorf("stderr: %s", got)
	}
}

func TestDemoFor(t *testing.T) {
	p := startProgram(t, "demo", "--listen", "127.0.0.1:0", "--for", "1s")
	p.wait(t, 0)
	if got := p.stdout.String(); !strings.Contains(got, "live.mpd") {
		t.Errorf("stdout: %s", got)
	}
}

func TestDialable(t *testing.T) {
	for in, want := range map[string]string{
		"http://[::]:80":      "http://127.0.0.1:80",
		"http://0.0.0.0:80":   "http://127.0.0.1:80",
		"http://127.0.0.1:80": "http://127.0.0.1:80",
		"http://10.1.2.3:80":  "http://10.1.2.3:80",
		"http://[fe80::1]:80": "http://[fe80::1]:80",
		"http://%zz":          "http://%zz",
	} {
		if got := dialable(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// play calls update with one Progress after the other, step apart.
func play(s *status, step time.Duration, progress ...demo.Progress) {
	now := time.Unix(0, 0)
	s.now = func() time.Time { return now }
	for _, p := range progress {
		s.update(p)
		now = now.Add(step)
	}
	s.end()
}

func steps(n int) []demo.Progress {
	list := []demo.Progress{{}} // nothing measured yet
	for i := 1; i <= n; i++ {
		list = append(list, demo.Progress{Segment: int64(i), ChunkDelay: time.Duration(i) * time.Millisecond})
	}
	return list
}

const urls = "A live channel is on the air:\n\n  DASH  http://h/demo/live.mpd\n  HLS   http://h/demo/master.m3u8\n\n" +
	"  ffplay http://h/demo/live.mpd\n\n"

func TestStatusElsewhere(t *testing.T) {
	var out strings.Builder
	play(newStatus(&out, "http://h/demo", func() int { return 7 }), 4*time.Second, steps(6)...)
	want := urls + "segment 1  viewers 7  chunk delay 1ms\nsegment 4  viewers 7  chunk delay 4ms\n"
	if d := out.String(); d != want {
		t.Errorf("got\n%s\nwant\n%s", d, want)
	}
}

func TestStatusOnTerminal(t *testing.T) {
	var out strings.Builder
	s := newStatus(&out, "http://h/demo", func() int { return 0 })
	s.terminal = true
	play(s, 60*time.Millisecond, steps(3)...)
	want := urls + "\rsegment 1  viewers 0  chunk delay 1ms\x1b[K\rsegment 3  viewers 0  chunk delay 3ms\x1b[K\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatusLine(t *testing.T) {
	s := newStatus(io.Discard, "", func() int { return 2 })
	got := s.line(demo.Progress{
		Segment: 9, ChunkDelay: 1234567 * time.Nanosecond, Errors: 3, LastError: errors.New("put:\n no"),
	})
	if want := "segment 9  viewers 2  chunk delay 1.23ms  errors 3 (put: no)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStatusFitsTerminal holds that the line is never wrapped, since a wrapped
// line cannot be updated in place.
func TestStatusFitsTerminal(t *testing.T) {
	var out strings.Builder
	s := newStatus(&out, "http://h/demo", func() int { return 0 })
	s.terminal = true
	play(s, time.Second, demo.Progress{Errors: 1, LastError: fmt.Errorf("%0200d", 1)})
	line := strings.TrimPrefix(out.String(), urls)
	if n := len(strings.Trim(line, "\r\n\x1b[K")); n != terminalWidth {
		t.Errorf("%d columns: %q", n, line)
	}
}

func TestIsTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if isTerminal(f) || isTerminal(io.Discard) {
		t.Error("a file or no file counts as a terminal")
	}
}
