package origin

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhoMayNotWrite(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Mount)
		path   string
		status int
		allow  string
	}{
		{"peer", func(m *Mount) { m.WriteFrom = []string{"192.0.2.0/24", "2001:db8::/32"} }, "/x", 403, ""},
		{"read-only", func(m *Mount) { m.Write = false }, "/x", 405, allowRead},
		{"no mount", func(m *Mount) { m.Path = "/live" }, "/livestock/x", 404, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, noHold, withTLS(t), withMount(tc.change))
			for _, d := range s.doors() {
				for _, method := range []string{"PUT", "POST", "DELETE"} {
					for framing, content := range framings {
						a := d.send(t, method, tc.path, content("x"))
						if a.StatusCode != tc.status || a.Header.Get("Allow") != tc.allow || a.Header.Get("Content-Length") == "" {
							t.Errorf("%s: %s, %s: %s, %v", d.name, method, framing, a.Status, a.Header)
						}
					}
				}
				d.wants(t, "GET", tc.path, nil, 404, "")
			}
		})
	}
}

func TestDirectoriesAreMadeAsNeeded(t *testing.T) {
	dir := t.TempDir()
	s := start(t, withMount(func(m *Mount) { m.Store = dir; m.Path = "/live" }))
	s.put("/live/a/b/c/seg-1.m4s", "deep")
	onDisk := filepath.Join(dir, "a", "b", "c", "seg-1.m4s")
	eventually(t, "it is on disk", func() bool { got, err := os.ReadFile(onDisk); return string(got) == "deep" && err == nil })
	if a := s.do("GET", "/live/a/b/c/seg-1.m4s", ""); a.body != "deep" {
		t.Errorf("%s %q", a.Status, a.body)
	}
	if a := s.do("GET", "/live/a/b", ""); a.StatusCode != 404 {
		t.Errorf("a directory: %s", a.Status)
	}
	for path, status := range map[string]int{"/live/a/b": 409, "/live/a": 409, "/live/a/b/c/seg-1.m4s/below": 400} {
		if a := s.do("PUT", path, "x"); a.StatusCode != status {
			t.Errorf("PUT %s: %s %q, want %d", path, a.Status, a.body, status)
		}
	}
	if a := s.do("DELETE", "/live/a/b", ""); a.StatusCode != 409 {
		t.Errorf("DELETE of a directory: %s", a.Status)
	}
	if a := s.do("DELETE", "/live/a/b/c/seg-1.m4s", ""); a.StatusCode != 200 {
		t.Errorf("DELETE: %s", a.Status)
	}
	eventually(t, "its directories have gone with it", func() bool { _, err := os.Stat(filepath.Join(dir, "a")); return os.IsNotExist(err) })
}

// TestUnusableNames come to nothing: not outside the mount, not inside.
func TestUnusableNames(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "served")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, withMount(func(m *Mount) { m.Store = dir; m.Path = "/live" }))
	long := strings.Repeat("x", 255)
	for _, path := range []string{
		"/live/../x", "/live/a/../../x", "/live/%2e%2e/x", "/live/..%2fx", "/live/%2E%2E%2Fx", "/live/./x", "/live/a/..",
		"/live/a%00b", "/live/..%5Cx", "/live/a%0ab", "/live/a%7fb", "/live/.hw-x", "/live/a/.hw-1.tmp",
		"/live/" + long + "x", "/live/" + strings.Repeat(long+"/", 4) + "xxx",
	} {
		if a := s.do("PUT", path, "x"); a.StatusCode != http.StatusBadRequest {
			t.Errorf("PUT %.40s: %s", path, a.Status)
		}
		if a := s.do("GET", path, ""); a.StatusCode/100 != 4 {
			t.Errorf("GET %.40s: %s", path, a.Status)
		}
		if a := s.do("DELETE", path, ""); a.StatusCode != http.StatusBadRequest {
			t.Errorf("DELETE %.40s: %s", path, a.Status)
		}
	}
	for _, path := range []string{"/live/" + long, "/live/" + strings.Repeat(long[1:]+"/", 4) + "xxxx", "/live/...", "/live/a%25b%3Fc%23d"} {
		s.put(path, "x")
		if a := s.do("GET", path, ""); a.StatusCode != 200 {
			t.Errorf("GET %.40s: %s", path, a.Status)
		}
	}
	if entries, err := os.ReadDir(outside); len(entries) != 1 || err != nil {
		t.Errorf("outside: %v, %v", entries, err)
	}
}

func TestConditionalUploads(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, withMount(store))
		wants := func(method, body string, status int, headers ...string) {
			t.Helper()
			if a := s.do(method, "/seg-1.m4s", body, headers...); a.StatusCode != status {
				t.Errorf("%s: %s %v: %s, want %d", kind, method, headers, a.Status, status)
			}
		}
		wants("PUT", "zero", 412, "If-Match: *")
		wants("PUT", "one", 201, "If-None-Match: *")
		wants("PUT", "two", 412, "If-None-Match: *")
		wants("PUT", "two", 400, "Content-Range: bytes 2-0/3")
		wants("PUT", "two", 400, "Range: bytes=-2")
		wants("PUT", "two", 415, "Content-Encoding: gzip")
		wants("PUT", "two", 412, `If-Match: "other"`)
		wants("DELETE", "", 412, `If-Match: "other"`)
		a := s.do("GET", "/seg-1.m4s", "")
		if a.body != "one" {
			t.Errorf("%s: now %q", kind, a.body)
		}
		wants("PUT", "two", 204, "If-Match: "+a.Header.Get("ETag"))
		wants("PUT", "three", 412, "If-Match: "+a.Header.Get("ETag"))
		wants("PUT", "three", 412, "If-Unmodified-Since: "+time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		if a := s.do("GET", "/seg-1.m4s", ""); a.body != "two" {
			t.Errorf("%s: now %q", kind, a.body)
		}
	}
}
