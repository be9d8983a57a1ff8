package mediatype

import (
	"mime"
	"strings"
	"testing"
)

func TestByName(t *testing.T) {
	for name, want := range map[string]string{
		"a/live.MPD":           "application/dash+xml",
		"x.m3u8":               "application/vnd.apple.mpegurl",
		"x.m4s":                "video/iso.segment",
		"seg12.m4s.3":          "video/iso.segment",
		"fileSequence12.4.m4s": "video/iso.segment",
		"init-v.cmfv":          "video/mp4",
		".m4s":                 "video/iso.segment",
		"x":                    Unknown,
		"":                     Unknown,
		"x.":                   Unknown,
		"noext.7":              Unknown,
		"v1.2.3":               Unknown,
		"dir.mpd/file":         Unknown,
		"a.unheardof":          Unknown,
	} {
		if got := ByName(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ name, uploaded, want string }{
		{"x.mpd", "text/plain", "text/plain"},
		{"x", `video/mp4; codecs="avc1"`, `video/mp4; codecs="avc1"`},
		{"x.mpd", "", "application/dash+xml"},
		{"x.mpd", " ", "application/dash+xml"},
		{"x.m4s", "Application/Octet-Stream; x=y", "video/iso.segment"},
		{"x.m4s", "application/x-www-form-urlencoded", "video/iso.segment"},
	} {
		if got := Of(c.name, c.uploaded); got != c.want {
			t.Errorf("%q as %q: %s, want %s", c.name, c.uploaded, got, c.want)
		}
	}
}

// What the system says does not matter for what is in the table, and is asked
// for what is not.
func TestTheTableGoesBeforeTheSystem(t *testing.T) {
	for ext, typ := range map[string]string{".ts": "text/x-typescript", ".unheardof2": "application/x-unheard-of"} {
		if err := mime.AddExtensionType(ext, typ); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := ByName("seg1.ts"), ByName("x.unheardof2"); a != "video/mp2t" || b != "application/x-unheard-of" {
		t.Error(a, b)
	}
}

func TestTheTableIsWellFormed(t *testing.T) {
	for ext, typ := range types {
		if _, _, err := mime.ParseMediaType(typ); err != nil || ext != strings.ToLower(ext) || ext[0] != '.' {
			t.Errorf("%s: %s: %v", ext, typ, err)
		}
	}
}
