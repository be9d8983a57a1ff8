package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ffmpeg runs a program of ffmpeg's and returns what it prints. It must not
// complain of anything.
func ffmpeg(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append([]string{"-v", "error"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("this test needs %s: install the Debian package ffmpeg", program)
	}
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, complaints.Bytes())
	}
	return out.Bytes()
}

// writeLoops writes the header and some loops of a track to a file, from the
// middle of a loop on.
func writeLoops(t *testing.T, u *cut, loops int64) string {
	t.Helper()
	const first = 850_000_002
	b := bytes.Clone(u.init)
	for n := int64(first); n < first+loops*4; n++ {
		b = append(b, segmentBytes(t, u, n)...)
	}
	name := filepath.Join(t.TempDir(), u.name+".mp4")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func countFrames(t *testing.T, stream, url string, more ...string) int {
	t.Helper()
	args := append(slices.Clone(more), "-select_streams", stream, "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", url)
	fields := strings.Fields(string(ffmpeg(t, "ffprobe", args...)))
	if len(fields) == 0 {
		t.Fatalf("no stream %s in %s", stream, url)
	}
	n, err := strconv.Atoi(strings.Trim(fields[0], ","))
	if err != nil {
		t.Fatalf("counting frames: %v", err)
	}
	return n
}

func TestFFmpegDecodesLoops(t *testing.T) {
	cuts := cutsFrom(t, defaults(t), 0)
	for i, want := range []int{400, 750} {
		name := writeLoops(t, cuts[i], 2)
		ffmpeg(t, "ffmpeg", "-xerror", "-i", name, "-f", "null", "-")
		if got := countFrames(t, cuts[i].name[:1], name); got != want {
			t.Errorf("%s: %d frames in 2 loops, want %d", cuts[i].name, got, want)
		}
	}
}

// The tone repeats every second. Where the clip does, each second must be as
// like the one before as it is elsewhere: nothing is heard of the seam.
func TestLoopHasNoClick(t *testing.T) {
	const rate = 48000
	name := writeLoops(t, cutsFrom(t, defaults(t), 0)[1], 2)
	raw := ffmpeg(t, "ffmpeg", "-i", name, "-ac", "1", "-f", "f32le", "-")
	pcm := make([]float64, len(raw)/4)
	for i := range pcm {
		pcm[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	// unlike sums up how much the 0.1 s around i differs from that of the
	// second before.
	unlike := func(i int) (sum float64) {
		for j := i - rate/20; j < i+rate/20; j++ {
			sum += math.Pow(pcm[j]-pcm[j-rate], 2)
		}
		return sum
	}
	worst := 0.0
	seams := map[int]bool{4: true, 5: true, 12: true, 13: true} // seconds that have a seam in them or in the second before
	for s := 2; s < 15; s++ {
		if !seams[s] {
			worst = max(worst, unlike(s*rate))
		}
	}
	for s := range seams {
		if got := unlike(s * rate); got > 10*worst {
			t.Errorf("second %d is %.1f times less like the one before than any away from the seam", s, got/worst)
		}
	}
}

// Real programs find the live edge by the manifests and play on from it.
func TestFFmpegPlaysLive(t *testing.T) {
	o := &origin{}
	server := httptest.NewServer(o)
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	started := make(chan struct{})
	var once sync.Once
	go func() {
		ended <- Run(ctx, Options{Base: server.URL + "/demo", Progress: func(p Progress) {
			if p.ChunkDelay > 0 { // a live chunk was seen, so the window is full
				once.Do(func() { close(started) })
			}
		}})
	}()
	select {
	case <-started:
	case <-time.After(time.Minute):
		t.Fatal("no live chunk was seen")
	}
	t.Run("players", func(t *testing.T) {
		for _, name := range []string{MPDName, MasterName} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				url := server.URL + "/demo/" + name
				out := ffmpeg(t, "ffmpeg", "-xerror", "-i", url, "-t", "14", "-map", "v:0", "-map", "a:0", "-f", "framemd5", "-")
				checkFrames(t, string(out))
			})
		}
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// checkFrames reads ffmpeg's framemd5 lines: stream, dts, pts, duration, size,
// hash. Each frame must follow on the one before.
func checkFrames(t *testing.T, lines string) {
	t.Helper()
	frames, next := [2]int{}, [2]int{}
	for line := range strings.Lines(lines) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.ReplaceAll(line, " ", ""), ",")
		stream, _ := strconv.Atoi(f[0])
		pts, _ := strconv.Atoi(f[2])
		duration, _ := strconv.Atoi(f[3])
		if frames[stream] > 0 && pts != next[stream] {
			t.Errorf("stream %d: frame %d at %d, want %d", stream, frames[stream], pts, next[stream])
		}
		frames[stream]++
		next[stream] = pts + duration
	}
	if frames[0] < 345 || frames[1] < 650 {
		t.Errorf("%d frames of video and %d of audio in 14 s, want 350 and 656", frames[0], frames[1])
	}
}
