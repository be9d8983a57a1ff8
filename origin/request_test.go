package origin

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		dir      bool
	}{
		{"/", "/", false},
		{"//", "/", true},
		{"/a", "/a", false},
		{"/a/", "/a", true},
		{"/a//", "/a", true},
		{"//live//Streams(video.cmfv)", "/live/Streams(video.cmfv)", false},
		{"/a/b.c/d", "/a/b.c/d", false},
		{"/...", "/...", false},
		{"/.a/..b/c..", "/.a/..b/c..", false},
		{"/a b/ü", "/a b/ü", false},
	} {
		got, dir, err := cleanPath(tc.in)
		if got != tc.want || dir != tc.dir || err != nil {
			t.Errorf("%q: %q, %v, %v; want %q, %v", tc.in, got, dir, err, tc.want, tc.dir)
		}
	}
	for _, in := range []string{"", "a", "*", "/.", "/..", "/../a", "/a/..", "/a/../b", "/a/./b", "//../a", "/a/../../etc/passwd"} {
		_, _, err := cleanPath(in)
		var e *httpError
		if !errors.As(err, &e) || e.status != http.StatusBadRequest {
			t.Errorf("%q: %v, want 400", in, err)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, seed := range []string{"/", "//a/", "/../a", "/a/./b", "a", "", "/a\x00b", "/\\..\\a", "/a/..."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, _, err := cleanPath(in)
		if err != nil {
			return
		}
		if !strings.HasPrefix(got, "/") || path.Clean(got) != got {
			t.Fatalf("%q became %q", in, got)
		}
		// Nothing but slashes is taken away: no file has two meanings.
		if strings.ReplaceAll(in, "/", "") != strings.ReplaceAll(got, "/", "") {
			t.Fatalf("%q became %q", in, got)
		}
		if again, dir, err := cleanPath(got); again != got || dir || err != nil {
			t.Fatalf("%q became %q, %v, %v", got, again, dir, err)
		}
	})
}
