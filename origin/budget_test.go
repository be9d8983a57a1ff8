package origin

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestByteBudgets: of a mount, and of all mounts together.
func TestByteBudgets(t *testing.T) {
	for name, option := range map[string]func(*Config){
		"of the mount": func(c *Config) { c.Mounts[0].MaxBytes = 200_000 },
		"of the process": func(c *Config) {
			c.Memory = 200_000
			other := c.Mounts[0]
			other.Path = "/other"
			c.Mounts = append(c.Mounts, other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, noHold, func(c *Config) { c.Mounts[0].MaxCacheSegs = 100; option(c) })
			s.put("/init-v.mp4", "init")
			for _, path := range []string{"/seg-1.m4s", "/seg-2.m4s", "/other/seg-3.m4s"} {
				s.put(path, strings.Repeat("x", 80_000))
			}
			for path, status := range map[string]int{"/seg-1.m4s": 404, "/seg-2.m4s": 200, "/other/seg-3.m4s": 200, "/init-v.mp4": 200} {
				if a := s.do("GET", path, ""); a.StatusCode != status {
					t.Errorf("%s: %s, want %d", path, a.Status, status)
				}
			}
			if a := s.do("PUT", "/big-1.m4s", strings.Repeat("x", 300_000)); a.StatusCode != http.StatusInsufficientStorage {
				t.Errorf("more than the budget: %s", a.Status)
			}
			if a := s.do("GET", "/seg-2.m4s", ""); a.StatusCode != 200 {
				t.Errorf("and seg-2 has gone: %s", a.Status)
			}
		})
	}
}

// TestAReadOnlyMountIsLeftAlone: nothing is swept, made or learned there.
func TestAReadOnlyMountIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"seg-1.m4s", ".hw-somebody.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, withMount(func(m *Mount) { m.Store, m.Write = dir, false }))
	if a := s.do("GET", "/seg-1.m4s", ""); a.body != "x" {
		t.Errorf("%s %q", a.Status, a.body)
	}
	if a := s.do("GET", "/.hw-somebody.tmp", ""); a.StatusCode != 404 {
		t.Errorf("a temporary file: %s", a.Status)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// TestSyncDoesNotAnswerForWhatIsNotSaved: /a cannot be saved as a file once
// there is a directory of that name.
func TestSyncDoesNotAnswerForWhatIsNotSaved(t *testing.T) {
	for sync, status := range map[bool]int{true: http.StatusInsufficientStorage, false: http.StatusCreated} {
		s := start(t, withMount(func(m *Mount) { m.Store, m.Sync = t.TempDir(), sync }))
		up := s.upload("/a")
		up.chunk("served, not saved")
		s.growingFile("/a", 17)
		s.put("/a/seg-1.m4s", "x")
		if resp := up.end(); resp.StatusCode != status {
			t.Errorf("sync %v: %s, want %d", sync, resp.Status, status)
		}
		if a := s.do("GET", "/a", ""); a.body != "served, not saved" {
			t.Errorf("sync %v: %s %q", sync, a.Status, a.body)
		}
		s.do("DELETE", "/a/seg-1.m4s", "") // and its directory, so that the file can be saved after all
		eventually(t, "it is saved", func() bool { return s.mounts[0].store.Stats().DiskUnsaved == 0 })
	}
}
