package e2e

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOriginKilledOnDisk kills the origin (SIGKILL) in the middle of a segment
// and starts it anew on the same folder. What was complete must be there, byte
// for byte and under the same ETag; what was not must not be there at all.
func TestOriginKilledOnDisk(t *testing.T) {
	need(t, "ffmpeg")
	t.Parallel()
	dir := t.TempDir()
	args := []string{"--rdirs", dir, "--write", "--hold-timeout", "1s"}
	s := serve(t, args...)
	p := newTee(t, s.addr())
	enc := pushDASH(t, push{seconds: 60, persistent: true}, p.url("/live/manifest.mpd"))
	const partial = "/live/chunk-stream0-00004.m4s"
	p.waitGrowing(t, partial, 60<<10)
	names := append(dashNames("/live", 0, 1, 3), "/live/init-stream0.m4s", "/live/init-stream1.m4s", "/live/chunk-stream1-00001.m4s")
	before := map[string]*download{}
	for _, name := range names {
		before[name] = fetch(t, s, name)
	}
	p.waitGrowing(t, partial, 0) // still in the middle of it
	s.crash()
	enc.kill()

	s = serve(t, args...)
	for _, name := range names {
		mustBeUnchanged(t, before[name], fetch(t, s, name))
	}
	if got := statusOf(t, s, partial); got != http.StatusNotFound {
		t.Errorf("%s, which was never complete: status %d, want 404", partial, got)
	}
	mustHoldNothingElse(t, dir, p)
}

// mustBeUnchanged wants the same complete answer before and after.
func mustBeUnchanged(t *testing.T, before, after *download) {
	t.Helper()
	for when, d := range map[string]*download{"before": before, "after": after} {
		if d.status != http.StatusOK || d.chunked || d.header.Get("Etag") == "" {
			t.Errorf("%s %s the restart: status %d, header %v; want a complete file", d.path, when, d.status, d.header)
		}
	}
	if before.sum() != after.sum() {
		t.Errorf("%s: other bytes after the restart (%d before, %d after)", before.path, len(before.body), len(after.body))
	}
	if b, a := before.header.Get("Etag"), after.header.Get("Etag"); b != a {
		t.Errorf("%s: ETag %s before the restart, %s after", before.path, b, a)
	}
}

// mustHoldNothingElse wants every file under dir to be a complete upload under
// its own name: no temporary file, no beginning of one.
func mustHoldNothingElse(t *testing.T, dir string, p *tee) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, dir))
		for _, u := range p.sent(name) {
			if string(u.body) == string(data) {
				return nil
			}
		}
		t.Errorf("after the restart the folder holds %s, %d bytes, which is no complete upload", name, len(data))
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("the folder after the restart: %d files, %v", files, err)
	}
}

// TestOriginKilledInMemory kills an origin that keeps its files in memory, with
// a state folder, while the encoder goes on. The encoder sends its init segments
// once and never again, so they must be back after the restart, and with them
// the channel.
func TestOriginKilledInMemory(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	t.Parallel()
	args := []string{"--state-dir", t.TempDir(), "--hold-timeout", "3s"}
	s := serve(t, args...)
	p := newTee(t, s.addr())
	enc := pushDASH(t, push{seconds: 24, stubborn: true}, p.url("/live/manifest.mpd"))
	p.waitGrowing(t, "/live/chunk-stream0-00003.m4s", 60<<10)
	inits := map[string]*download{}
	for _, name := range []string{"/live/init-stream0.m4s", "/live/init-stream1.m4s"} {
		inits[name] = fetch(t, s, name)
	}
	s.crash()

	s = serve(t, args...)
	p.setTarget(s.addr())
	for name, before := range inits {
		mustBeUnchanged(t, before, fetch(t, s, name))
	}
	const partial = "/live/chunk-stream0-00003.m4s"
	if got := statusOf(t, s, partial); got != http.StatusNotFound {
		t.Errorf("%s, which was never complete: status %d, want 404", partial, got)
	}
	p.waitSent(t, "/live/chunk-stream0-00006.m4s", 1)
	mustProbe(t, s.http+"/live/manifest.mpd")
	mustPlay(t, s.http+"/live/manifest.mpd", 4)
	viewers := newAudience(t)
	viewers.join(t, "after the restart", s.addr(), dashNames("/live", 0, 9, 11))
	mustBeWhatWasSent(t, p, viewers.wait())
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("ffmpeg's exit code is %d", code)
	}
}
