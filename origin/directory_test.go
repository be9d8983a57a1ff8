package origin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func withList(c *Config) { c.Mounts[0].List = true }

// names returns the names of a JSON list.
func (a answered) names(t *testing.T) string {
	t.Helper()
	var list []struct{ Name, Type string }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatalf("%s: %v\n%s", a.Status, err, a.body)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Type[:1]+":"+e.Name)
	}
	return strings.Join(names, " ")
}

func TestDirectoryListing(t *testing.T) {
	dir := t.TempDir()
	for name, s := range map[string]*testServer{
		"memory":    start(t, withList),
		"directory": start(t, withList, withMount(func(m *Mount) { m.Store = dir })),
	} {
		t.Run(name, func(t *testing.T) {
			s.put("/live/seg-1.m4s", "x")
			s.put("/live/sub/a.txt", "x")
			s.put("/b&<i>.txt", "x")
			up := s.upload("/live/seg-2.m4s")
			up.chunk("xy")
			s.growingFile("/live/seg-2.m4s", 2)
			if got := s.do("GET", "/", "", "Accept: application/json").names(t); got != "d:live f:b&<i>.txt" {
				t.Errorf("/: %s", got)
			}
			if got := s.do("GET", "/live/?format=json", "").names(t); got != "d:sub f:seg-1.m4s f:seg-2.m4s" {
				t.Errorf("/live/: %s", got)
			}
			page := s.do("GET", "/", "")
			if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || strings.Contains(page.body, "<i>") || !strings.Contains(page.body, "b&amp;&lt;i&gt;.txt") {
				t.Errorf("not escaped:\n%s", page.body)
			}
			if a := s.do("GET", "/live", ""); a.Request.URL.Path != "/live/" || a.StatusCode != 200 {
				t.Errorf("without a slash: %s %s", a.Request.URL, a.Status)
			}
			if a := s.do("HEAD", "/", ""); a.StatusCode != 200 || a.body != "" || a.ContentLength <= 0 {
				t.Errorf("HEAD: %s, %d", a.Status, a.ContentLength)
			}
			for _, path := range []string{"/none/", "/live/seg-1.m4s/"} {
				if a := s.do("GET", path, ""); a.StatusCode != 404 {
					t.Errorf("%s: %s", path, a.Status)
				}
			}
			up.end()
		})
	}
}

func TestNoListing(t *testing.T) {
	s := start(t)
	s.put("/live/seg-1.m4s", "x")
	for _, path := range []string{"/", "/live", "/live/"} {
		if a := s.do("GET", path, ""); a.StatusCode != 404 {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
}

func TestIndexFile(t *testing.T) {
	s := start(t, withList, withMount(func(m *Mount) { m.Index = []string{"index.htm", "index.html"} }))
	s.put("/live/index.html", "<p>live")
	if a := s.do("GET", "/live/", ""); a.body != "<p>live" || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%s %q", a.Header.Get("Content-Type"), a.body)
	}
	s.put("/live/index.htm", "<p>first")
	if a := s.do("GET", "/live", ""); a.body != "<p>first" {
		t.Errorf("%q", a.body)
	}
}

// TestMountPoints: several directories are listed at the root by their names.
func TestMountPoints(t *testing.T) {
	s := start(t, func(c *Config) {
		c.Mounts = nil
		for _, name := range []string{"a", "b"} {
			dir := filepath.Join(t.TempDir(), name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			m := DefaultMount()
			m.Path, m.Store, m.List = "/x/"+name, dir, true
			c.Mounts = append(c.Mounts, m)
		}
	})
	for path, want := range map[string]string{"/": "d:x", "/x/": "d:a d:b", "/x": "d:a d:b"} {
		if got := s.do("GET", path, "", "Accept: application/json").names(t); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if a := s.do("GET", "/y", ""); a.StatusCode != 404 {
		t.Errorf("/y: %s", a.Status)
	}
	if a := s.do("PUT", "/x/c", "x"); a.StatusCode != 404 {
		t.Errorf("PUT above the mounts: %s", a.Status)
	}
}
