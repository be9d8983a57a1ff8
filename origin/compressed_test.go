package origin

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// raw asks without the client's own unpacking.
func (s *testServer) raw(method, path string, headers ...string) answered {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answered{resp, string(got), err}
}

func unpack(t *testing.T, coding, data string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(data)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCompression(t *testing.T) {
	text := strings.Repeat("#EXTINF:2.0,\nseg.m4s\n", 100)
	for _, store := range []string{GMem, t.TempDir()} {
		s := start(t, withMount(func(m *Mount) { m.Store, m.ZMax = store, 3000 }))
		s.put("/live.m3u8", text)
		s.put("/large.m3u8", text+text)
		s.put("/seg-1.m4s", text)
		s.put("/tiny.txt", "x")
		for _, tt := range []struct{ path, accept, coding string }{
			{"/live.m3u8", "gzip", "gzip"},
			{"/live.m3u8", "deflate", "deflate"},
			{"/live.m3u8", "gzip, deflate, zstd", "zstd"},
			{"/live.m3u8", "gzip;q=1, zstd;q=0.5", "gzip"},
			{"/live.m3u8", "gzip;q=0", ""},
			{"/live.m3u8", "br", ""},
			{"/live.m3u8", "", ""},
			{"/large.m3u8", "gzip", ""},
			{"/seg-1.m4s", "gzip", ""},
			{"/tiny.txt", "gzip", ""},
		} {
			a := s.raw("GET", tt.path, "Accept-Encoding: "+tt.accept)
			if got := a.Header.Get("Content-Encoding"); got != tt.coding {
				t.Errorf("%s, %q: coded %q, want %q", tt.path, tt.accept, got, tt.coding)
				continue
			}
			if tt.coding != "" && (unpack(t, tt.coding, a.body) != text || a.ContentLength != int64(len(a.body)) || len(a.body) >= len(text)) {
				t.Errorf("%s, %q: not the file, %d bytes", tt.path, tt.accept, len(a.body))
			}
			if vary := strings.Contains(a.Header.Get("Vary"), "Accept-Encoding"); vary != (tt.path == "/live.m3u8" || tt.path == "/tiny.txt") {
				t.Errorf("%s, %q: Vary %q", tt.path, tt.accept, a.Header.Get("Vary"))
			}
		}
	}
}

func TestCompressionAndConditions(t *testing.T) {
	text := strings.Repeat("text ", 200)
	s := start(t)
	s.put("/a.txt", text)
	plain, coded := s.raw("GET", "/a.txt"), s.raw("GET", "/a.txt", "Accept-Encoding: gzip")
	if plain.Header.Get("ETag") == coded.Header.Get("ETag") {
		t.Error("two representations have one ETag")
	}
	not := s.raw("GET", "/a.txt", "Accept-Encoding: gzip", "If-None-Match: "+coded.Header.Get("ETag"))
	if not.StatusCode != 304 || not.Header.Get("ETag") != coded.Header.Get("ETag") || not.Header.Get("Content-Encoding") != "" || not.Header.Get("Vary") == "" {
		t.Errorf("%s %v", not.Status, not.Header)
	}
	if a := s.raw("GET", "/a.txt", "Accept-Encoding: gzip", "If-None-Match: "+plain.Header.Get("ETag")); a.StatusCode != 200 {
		t.Errorf("the other's ETag: %s", a.Status)
	}
	if a := s.raw("GET", "/a.txt", "Accept-Encoding: gzip", "Range: bytes=0-3"); a.StatusCode != 206 || a.body != "text" || a.Header.Get("Content-Encoding") != "" {
		t.Errorf("a range: %s %q", a.Status, a.body)
	}
	head := s.raw("HEAD", "/a.txt", "Accept-Encoding: gzip")
	if head.ContentLength != coded.ContentLength || head.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("HEAD: %d, GET: %d", head.ContentLength, coded.ContentLength)
	}
	s.put("/a.txt", strings.Repeat("other ", 200))
	if a := s.raw("GET", "/a.txt", "Accept-Encoding: gzip"); unpack(t, "gzip", a.body) != strings.Repeat("other ", 200) {
		t.Error("an old version")
	}
}

func TestNoCompression(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.ZMax = 0 }))
	s.put("/a.txt", strings.Repeat("text ", 200))
	a := s.raw("GET", "/a.txt", "Accept-Encoding: gzip")
	if a.Header.Get("Content-Encoding") != "" || a.Header.Get("Vary") != "" {
		t.Errorf("%v", a.Header)
	}
}
