package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestSourceExec: ffmpeg plays, frame by frame, what another ffmpeg uploads, and
// is told when that one is killed.
func TestSourceExec(t *testing.T) {
	need(t, "ffmpeg")
	t.Parallel()
	dir := t.TempDir()
	sums := filepath.Join(dir, "played")
	s := serve(t, "--hmode", "source", "--source-exec", "ffmpeg -v error -probesize 20000 -analyzeduration 100000 -f mpegts -i - -map 0:v -c copy -f framemd5 -flush_packets 1 -y "+sums)
	clip := makeFile(t, "clip.ts", "-f lavfi -i testsrc2=size=320x180:rate=25 -t 4 -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p")
	send := start(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", clip, "-c", "copy", "-f", "mpegts", "-method", "PUT", s.http+"/in.ts")
	if code := send.wait(t, patience); code != 0 {
		t.Fatalf("the sender's exit code is %d", code)
	}
	want := filepath.Join(dir, "sent")
	ref := start(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", clip, "-map", "0:v", "-c", "copy", "-f", "framemd5", "-y", want)
	if code := ref.wait(t, patience); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	eventually(t, "every frame was played", func() bool {
		a, errA := os.ReadFile(sums)
		b, errB := os.ReadFile(want)
		return errA == nil && errB == nil && frames(a) == 100 && string(md5s(a)) == string(md5s(b))
	})
	if got := statusOf(t, s, "/in.ts"); got != 405 {
		t.Errorf("what is stored nowhere is answered %d", got)
	}

	broken := start(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-re", "-i", clip, "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "-method", "PUT", s.http+"/in.ts")
	eventually(t, "the second upload is played", func() bool {
		data, err := os.ReadFile(sums)
		return err == nil && frames(data) > 0 && frames(data) < 100
	})
	broken.kill()
	s.waitLine(t, s.err, regexp.MustCompile(`(broke off)`), 1)
}

var frameLine = regexp.MustCompile(`(?m)^0,.*, ([0-9a-f]{32})$`)

func frames(framemd5 []byte) int { return len(frameLine.FindAll(framemd5, -1)) }

func md5s(framemd5 []byte) (out []byte) {
	for _, m := range frameLine.FindAllSubmatch(framemd5, -1) {
		out = append(append(out, m[1]...), '\n')
	}
	return out
}

// TestSourceFIFO: the init segment and the segments of a track that ffmpeg's
// DASH muxer uploads one after another are one stream for who reads the pipe.
func TestSourceFIFO(t *testing.T) {
	need(t, "ffmpeg")
	t.Parallel()
	dir := t.TempDir()
	pipe, out := filepath.Join(dir, "pipe"), filepath.Join(dir, "out.framemd5")
	if err := mkfifo(pipe); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--hmode", "source", "--source-fifo", pipe)
	player := start(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-f", "mp4", "-i", pipe, "-map", "0:v", "-c", "copy", "-f", "framemd5", "-y", out)
	clip := makeFile(t, "clip.mp4", "-f lavfi -i testsrc2=size=320x180:rate=25 -t 6 -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p")
	init := makeSegments(t, dir, clip)
	for i, name := range append([]string{init}, segments(dir, 3)...) {
		c := start(t, nil, "curl", "-sf", "-T", name, s.http+"/"+strconv.Itoa(i)+".m4s")
		if code := c.wait(t, patience); code != 0 {
			t.Fatalf("%s: curl's exit code is %d", name, code)
		}
	}
	if code := player.wait(t, patience); code != 0 { // the pipe closes some seconds after the last upload
		t.Errorf("the player's exit code is %d", code)
	}
	if data, err := os.ReadFile(out); err != nil || frames(data) != 150 {
		t.Errorf("%d frames were played, not 150; %v", frames(data), err)
	}
}

// makeSegments cuts a clip of 6 s into an init segment, whose name it returns,
// and three segments.
func makeSegments(t *testing.T, dir, clip string) (init string) {
	t.Helper()
	c := start(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", clip, "-c", "copy", "-f", "dash", "-seg_duration", "2", "-init_seg_name", "init.m4s",
		"-media_seg_name", "seg$Number$.m4s", filepath.Join(dir, "clip.mpd"))
	if code := c.wait(t, patience); code != 0 {
		t.Fatalf("making segments: exit code %d", code)
	}
	return filepath.Join(dir, "init.m4s")
}

func segments(dir string, n int) (names []string) {
	for i := 1; i <= n; i++ {
		names = append(names, filepath.Join(dir, "seg"+strconv.Itoa(i)+".m4s"))
	}
	return names
}
