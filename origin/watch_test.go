package origin

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWatch: a file that a packager writes is served while it grows, and with
// its deletion it goes. Uploads are not taken unless the mount says so.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	s := start(t, withMount(func(m *Mount) { m.Watch, m.Write = dir, false }))
	f, err := os.Create(filepath.Join(dir, "seg-1.aac.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // again, if all went well
	if _, err := f.WriteString("first,"); err != nil {
		t.Fatal(err)
	}
	s.growingFile("/seg-1.aac", 6)
	c := s.dial()
	c.send("GET /seg-1.aac HTTP/1.1", "Host: origin")
	resp := c.response("GET")
	expect(t, resp.Body, "first,")
	if _, err := f.WriteString("last"); err != nil {
		t.Fatal(err)
	}
	expect(t, resp.Body, "last")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, "seg-1.aac")); err != nil {
		t.Fatal(err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("after the end: %d, %v", n, err)
	}
	if a := s.do("PUT", "/b.aac", "x"); a.StatusCode != 405 {
		t.Errorf("PUT: %s", a.Status)
	}
	if err := os.Remove(filepath.Join(dir, "seg-1.aac")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is deleted", func() bool { return s.do("GET", "/seg-1.aac", "").StatusCode == 404 })
}

// TestWatchNeedsADirectory: the start fails with one line that names it.
func TestWatchNeedsADirectory(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Mounts[0].Watch = filepath.Join(t.TempDir(), "none")
	_, err := New(cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), cfg.Mounts[0].Watch) || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
