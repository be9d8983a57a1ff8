package compress

import (
	"slices"
	"testing"
)

func TestNegotiate(t *testing.T) {
	all := Codings()
	for _, tt := range []struct {
		header  string
		offered []string
		want    string
	}{
		{"", all, ""},
		{"gzip, deflate, br, zstd", all, Zstd},
		{"gzip, deflate, br", all, Gzip},
		{"deflate", all, Deflate},
		{"br", all, ""},
		{"GZIP", all, Gzip},
		{"x-gzip", all, Gzip},
		{"gzip, deflate, zstd", []string{Deflate, Gzip}, Gzip}, // whatever order they are offered in
		{"gzip", []string{Zstd}, ""},
		{"gzip", nil, ""},
		{"gzip;q=0.5, deflate;q=0.8, zstd;q=0.1", all, Deflate},
		{"gzip ; q=1.0 , zstd;Q=0.999", all, Gzip},
		{"gzip;q=0, deflate", all, Deflate},
		{"gzip;q=0", all, ""},
		{"gzip;q=2, deflate;q=x, zstd;q=-1", all, ""},
		{"gzip;q=NaN", all, ""},
		{"*", all, Zstd},
		{"*;q=0.5, zstd;q=0", all, Gzip},
		{"*;q=0.5, deflate;q=0.6", all, Deflate},
		{"*;q=0, gzip", all, Gzip},
		{"*;q=0", all, ""},
		{"identity", all, ""},
		{"identity, gzip", all, Gzip},
		{"identity, gzip;q=0.5", all, ""},
		{"identity;q=0.4, gzip;q=0.5", all, Gzip},
		{"identity;q=0, gzip", all, Gzip},
		{"identity;q=0", all, Gzip},
		{"identity;q=0, gzip;q=0", all, Deflate},
		{"identity;q=0, gzip;q=0, deflate;q=0", all, Zstd},
		{"identity;q=0, br", []string{Zstd}, Zstd},
		{"identity;q=0, *;q=0", all, ""},
		{"identity;q=0, gzip;q=0", []string{Gzip}, ""},
		{"gzip;q=0.5;x=1, gzip;q=0", all, Gzip}, // the first counts
		{",,;;q=1,=", all, ""},
	} {
		if got := Negotiate(tt.header, tt.offered); got != tt.want {
			t.Errorf("%q of %q: %q, want %q", tt.header, tt.offered, got, tt.want)
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"gzip;q=0.5, *;q=0", "identity;q=0", "zstd, deflate;q=1;q=0", "a,b,c,gzip"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		all := Codings()
		got := Negotiate(header, all)
		if got != "" && !slices.Contains(all, got) {
			t.Fatalf("%q: %q", header, got)
		}
		w := parseWeights(header)
		if q, named := w[got]; named && got != "" && q == 0 {
			t.Errorf("%q: %q, which it refuses", header, got)
		}
		for _, c := range all {
			if got != "" && w.of(c) > w.of(got) {
				t.Errorf("%q: %q, and not %q", header, got, c)
			}
		}
		if got != "" && Negotiate(header, []string{got}) != got {
			t.Errorf("%q: %q only as long as there is a choice", header, got)
		}
		if Negotiate(header, nil) != "" {
			t.Errorf("%q: a coding that is not offered", header)
		}
	})
}

func TestCompressible(t *testing.T) {
	for contentType, want := range map[string]bool{
		"text/html":                           true,
		"text/vtt; charset=utf-8":             true,
		"TEXT/Plain":                          true,
		"application/dash+xml":                true,
		"application/vnd.apple.mpegurl":       true,
		"application/vnd.apple.mpegURL":       true,
		"audio/x-mpegurl":                     true,
		" application/json ;charset=utf-8":    true,
		"application/javascript":              true,
		"image/svg+xml":                       true,
		"application/ld+json":                 true,
		"application/ttml+xml":                true,
		"text/event-stream":                   false,
		"text/event-stream; charset=utf-8":    false,
		"video/mp4":                           false,
		"application/mp4":                     false,
		"application/octet-stream":            false,
		"image/png":                           false,
		"application/json-seq":                false,
		"":                                    false,
		"video/iso.segment; x=\"text/plain\"": false,
	} {
		if got := Compressible(contentType); got != want {
			t.Errorf("%q: %t, want %t", contentType, got, want)
		}
	}
}
