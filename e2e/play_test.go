package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mustProbe has ffprobe open a manifest and checks what streams it finds.
func mustProbe(t *testing.T, url string) {
	t.Helper()
	c := start(t, nil, "ffprobe", "-v", "error", "-print_format", "json", "-show_streams", url)
	if code := c.wait(t, patience); code != 0 || c.err.String() != "" {
		t.Fatalf("ffprobe %s: exit code %d\n%s", url, code, c.err)
	}
	var found struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Kind   string `json:"codec_type"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
			Rate   string `json:"sample_rate"`
		} `json:"streams"`
	}
	if err := json.Unmarshal([]byte(c.out.String()), &found); err != nil {
		t.Fatalf("ffprobe %s: %v\n%s", url, err, c.out)
	}
	kinds := map[string]int{}
	for _, s := range found.Streams {
		kinds[s.Kind+" "+s.Codec]++
		if s.Kind == "video" && (s.Width == 0 || s.Height == 0) || s.Kind == "audio" && s.Rate == "0" {
			t.Errorf("ffprobe %s: a stream without parameters: %+v", url, s)
		}
	}
	if len(found.Streams) != 2 || kinds["video h264"] != 1 || kinds["audio aac"] != 1 {
		t.Fatalf("ffprobe %s: streams %v, want one of H.264 and one of AAC", url, kinds)
	}
}

// mustPlay has ffmpeg decode some seconds of a manifest without a complaint,
// and checks that the pictures and audio frames of these seconds came out.
func mustPlay(t *testing.T, url string, seconds int) {
	t.Helper()
	c := start(t, nil, "ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-i", url,
		"-t", strconv.Itoa(seconds), "-map", "0:v", "-map", "0:a", "-f", "framemd5", "-")
	code := c.wait(t, time.Duration(seconds)*time.Second+patience)
	if code != 0 || c.err.String() != "" {
		t.Errorf("ffmpeg -i %s: exit code %d\n%s", url, code, c.err)
		return
	}
	pictures, sounds := 0, 0
	for line := range strings.Lines(c.out.String()) {
		switch {
		case strings.HasPrefix(line, "0,"):
			pictures++
		case strings.HasPrefix(line, "1,"):
			sounds++
		}
	}
	if pictures < 24*seconds || sounds < 40*seconds {
		t.Errorf("ffmpeg -i %s decoded %d pictures and %d audio frames in %d s", url, pictures, sounds, seconds)
	}
}
