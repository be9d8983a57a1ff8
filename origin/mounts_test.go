package origin

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestMountsByWhatTheyTake: httpout's read-write server with two directories,
// and a mount that is only read beneath.
func TestMountsByWhatTheyTake(t *testing.T) {
	out, in, vod := t.TempDir(), t.TempDir(), t.TempDir()
	for dir, name := range map[string]string{out: "a", vod: "v"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, func(c *Config) {
		r, w, v := DefaultMount(), DefaultMount(), DefaultMount()
		r.Store = out
		w.Store, w.Read, w.Write = in, false, true
		v.Path, v.Store = "/vod", vod
		c.Mounts = []Mount{r, w, v}
	})
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/a", 200},
		{"PUT", "/b", 201},
		{"GET", "/b", 404}, // it is in the other directory
		{"PUT", "/vod/x", 201},
		{"GET", "/vod/x", 404},
		{"GET", "/vod/v", 200},
		{"DELETE", "/a", 404},
		{"DELETE", "/b", 200},
	} {
		if a := s.do(tt.method, tt.path, map[bool]string{true: "new"}[tt.method == "PUT"]); a.StatusCode != tt.status {
			t.Errorf("%s %s: %s, want %d", tt.method, tt.path, a.Status, tt.status)
		}
	}
	if data, err := os.ReadFile(filepath.Join(in, "vod", "x")); err != nil || string(data) != "new" {
		t.Errorf("uploaded: %q, %v", data, err)
	}
}

func TestWriteOnlyMount(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.Read, m.Store = false, t.TempDir() }))
	s.put("/a", "x")
	for _, method := range []string{"GET", "HEAD"} {
		if a := s.do(method, "/a", ""); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != allowWriteOnly {
			t.Errorf("%s: %s, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := s.do("OPTIONS", "/a", ""); a.Header.Get("Allow") != allowWriteOnly {
		t.Errorf("OPTIONS: Allow %q", a.Header.Get("Allow"))
	}
}

func TestNoRange(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.NoRange = true }))
	s.put("/a.bin", "0123456789")
	a := s.do("GET", "/a.bin", "", "Range: bytes=2-3")
	if a.StatusCode != 200 || a.body != "0123456789" || a.Header.Get("Accept-Ranges") != "none" {
		t.Errorf("%s %q, Accept-Ranges %q", a.Status, a.body, a.Header.Get("Accept-Ranges"))
	}
}

// TestNoCTE: without chunked transfer a reply waits for the end, and has a length.
func TestNoCTE(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.CTE = false }))
	up := s.upload("/seg-1.m4s")
	up.chunk("first,")
	s.growingFile("/seg-1.m4s", 6)
	got := make(chan answered, 1)
	go func() { got <- s.do("GET", "/seg-1.m4s", "") }()
	eventually(t, "the request is held", func() bool { return len(s.mounts[0].waiting) == 1 })
	up.chunk("last")
	up.end()
	if a := <-got; a.body != "first,last" || a.ContentLength != 10 {
		t.Errorf("%q, length %d", a.body, a.ContentLength)
	}
}

func TestCacheControlOfAll(t *testing.T) {
	for all, want := range map[string]http.Header{
		"max-age=7":    {"Cache-Control": {"max-age=7"}},
		NoCacheControl: {"Etag": nil, "Last-Modified": nil},
	} {
		s := start(t, withMount(func(m *Mount) { m.CacheControl.All = all }))
		s.put("/a.bin", "x")
		h := s.do("GET", "/a.bin", "").Header
		for _, name := range []string{"Cache-Control", "Etag", "Last-Modified"} {
			if all != NoCacheControl && name != "Cache-Control" {
				continue
			}
			if got := h.Get(name); got != want.Get(name) {
				t.Errorf("%s: %s is %q", all, name, got)
			}
		}
		if a := s.do("GET", "/missing", ""); a.Header.Get("Cache-Control") == "max-age=7" {
			t.Errorf("a 404 is cached like a file")
		}
	}
}

// TestMountsShareADirectory: what is uploaded at one mount is seen growing at
// another of the same directory.
func TestMountsShareADirectory(t *testing.T) {
	dir := t.TempDir()
	s := start(t, func(c *Config) {
		r, w := DefaultMount(), DefaultMount()
		r.Path, r.Store = "/out", dir
		w.Path, w.Store, w.Read, w.Write = "/in", dir+"/", false, true
		c.Mounts = []Mount{r, w}
	})
	up := s.upload("/in/seg-1.m4s")
	up.chunk("first,")
	eventually(t, "it is seen", func() bool { return s.do("HEAD", "/out/seg-1.m4s", "").StatusCode == 200 })
	c := s.dial()
	c.send("GET /out/seg-1.m4s HTTP/1.1", "Host: origin")
	resp := c.response("GET")
	expect(t, resp.Body, "first,")
	up.chunk("last")
	expect(t, resp.Body, "last")
	up.end()
}
