package framing

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ffmpeg makes a file of test media and returns its bytes.
func ffmpeg(t *testing.T, name, args string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = "-hide_banner -nostdin -v error -f lavfi -i testsrc=size=160x120:rate=25 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 4 " + args
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(strings.Fields(args), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg (Debian package ffmpeg) is needed: %v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// probe has ffprobe list what is named of the stream, a line each.
func probe(t *testing.T, data []byte, args string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffprobe", append(strings.Fields("-v error -of csv=p=0 "+args), "-")...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffprobe (Debian package ffmpeg): %v", err)
	}
	return strings.Fields(string(out))
}

// mustDecode plays the bytes without a complaint.
func mustDecode(t *testing.T, data []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", strings.Fields("-hide_banner -nostdin -v warning -i - -f null -")...)
	cmd.Stdin = bytes.NewReader(data)
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// cut gives the bytes to a framer in pieces of the sizes, over and over, and
// returns what comes out, which is what went in.
func cut(t testing.TB, f Framer, data []byte, sizes ...int) (frames []Frame) {
	t.Helper()
	rest, last := data, time.Duration(0)
	take := func(fr Frame, ok bool) bool {
		if ok {
			if fr.Time != NoTime && fr.Time < last {
				t.Fatalf("time goes back from %v to %v", last, fr.Time)
			}
			last = max(last, fr.Time)
			frames = append(frames, fr)
		}
		return ok
	}
	for i := 0; len(rest) > 0; i++ {
		n := min(len(rest), max(1, sizes[i%len(sizes)]))
		piece := bytes.Clone(rest[:n])
		rest = rest[n:]
		f.Push(piece)
		clear(piece) // the caller's again
		for take(f.Next()) {
		}
	}
	for take(f.Flush()) {
	}
	if got := join(frames); !bytes.Equal(got, data) {
		t.Fatalf("%d bytes came out of %d", len(got), len(data))
	}
	return frames
}

func join(frames []Frame) (all []byte) {
	for _, f := range frames {
		all = append(all, f.Data...)
	}
	return all
}

func cleanOnes(frames []Frame) (at []int) {
	for i, f := range frames {
		if f.Clean {
			at = append(at, i)
		}
	}
	return at
}

func lastTime(frames []Frame) (last time.Duration) {
	for _, f := range frames {
		last = max(last, f.Time)
	}
	return last
}

// near allows an encoder's delay and a last frame.
func near(got, want time.Duration) bool {
	return got > want-200*time.Millisecond && got < want+200*time.Millisecond
}
