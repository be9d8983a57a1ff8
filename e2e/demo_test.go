package e2e

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	demoURL    = regexp.MustCompile(`(http://127\.0\.0\.1:\d+/demo/[\w./-]+\.(?:mpd|m3u8))`)
	lastNumber = regexp.MustCompile(`^(.*\D)(\d+)(\.\w+)$`)
)

// TestDemo runs the README's first command: it must say where to look within a
// bound, real players must play both manifests, live bytes must flow, and it
// must end by itself.
func TestDemo(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	t.Parallel()
	begun := time.Now()
	c := start(t, nil, binary, "demo", "--listen", "127.0.0.1:0", "--for", "25s")
	urls := c.waitLine(t, c.out, demoURL, 2)
	if !strings.HasSuffix(urls[0], "/live.mpd") || !strings.HasSuffix(urls[1], "/master.m3u8") {
		t.Fatalf("the demo names %v", urls)
	}
	base, err := url.Parse(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	s := &server{http: "http://" + base.Host}
	for _, u := range urls {
		mustProbe(t, u)
	}
	live := make(chan error, 1)
	go func() { live <- seeLiveBytes(t, s, urls[1]) }()
	for _, u := range urls {
		mustPlay(t, u, 4)
	}
	if err := <-live; err != nil {
		t.Error(err)
	}
	if code := c.wait(t, patience); code != 0 {
		t.Errorf("the demo's exit code is %d\n%s", code, c.err)
	}
	if took := time.Since(begun); took < 24*time.Second {
		t.Errorf("the demo ended after %v, before its 25 s were over", took)
	}
}

// seeLiveBytes follows the playlists to the newest segment, asks for the one
// after it, and wants its bytes to come over a good part of its duration.
func seeLiveBytes(t *testing.T, s *server, master string) error {
	media, _, err := lastEntry(t, s, master)
	if err != nil {
		return err
	}
	var names []string
	segment, length, err := lastEntry(t, s, media)
	if err != nil {
		return err
	}
	m := lastNumber.FindStringSubmatch(segment)
	if m == nil {
		return fmt.Errorf("the segment's name %q has no number", segment)
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return err
	}
	for i := 1; i <= 4; i++ {
		u, err := url.Parse(m[1] + fmt.Sprintf("%0*d", len(m[2]), n+i) + m[3])
		if err != nil {
			return err
		}
		names = append(names, u.Path)
	}
	got, err := follow(t.Context(), s.addr(), names)
	if err != nil {
		return err
	}
	for _, d := range got[1:] { // the first may have been nearly over
		first, last := d.pieces[0].at, d.pieces[len(d.pieces)-1].at
		if spread := last.Sub(first); !d.chunked || len(d.pieces) < 4 || spread < length/2 {
			return fmt.Errorf("%s: %d pieces over %v of a segment of %v", d.path, len(d.pieces), spread, length)
		}
	}
	return nil
}

// lastEntry returns the URL on the last line of a playlist that is one, and the
// duration given for it, if any.
func lastEntry(t *testing.T, s *server, playlist string) (string, time.Duration, error) {
	base, err := url.Parse(playlist)
	if err != nil {
		return "", 0, err
	}
	v := &viewer{addr: s.addr()}
	defer v.close()
	d, err := v.get(t.Context(), base.RequestURI())
	if err != nil {
		return "", 0, err
	}
	var name string
	var length time.Duration
	for line := range strings.Lines(string(d.body)) {
		line = strings.TrimSpace(line)
		if inf, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
			inf, _, _ = strings.Cut(inf, ",")
			length, err = time.ParseDuration(inf + "s")
			if err != nil {
				return "", 0, err
			}
		} else if line != "" && !strings.HasPrefix(line, "#") {
			name = line
		}
	}
	u, err := base.Parse(name)
	if name == "" {
		return "", 0, fmt.Errorf("%s lists nothing (status %d):\n%s", playlist, d.status, d.body)
	}
	if err != nil {
		return "", 0, fmt.Errorf("%s lists %q: %w", playlist, name, err)
	}
	return u.String(), length, nil
}
