package origin

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
)

// door is one way into the server.
type door struct {
	name, url string
	major     int // of the protocol's version
	client    *http.Client
}

// doors are plain HTTP/1.1, HTTP/2 with prior knowledge, and HTTP/2 over TLS.
// The server must have been started withTLS.
func (s *testServer) doors() []door {
	plain := s.clients()
	return []door{
		{"HTTP/1.1", s.url, 1, plain["HTTP/1.1"]},
		{"h2c", s.url, 2, plain["h2c"]},
		{"HTTPS h2", s.URLs()[1], 2, s.tlsClients()["HTTP/2.0"]},
	}
}

// send sends a request through a door and reads the answer. Content that does
// not tell its length goes out without one.
func (d door) send(t *testing.T, method, path string, content io.Reader, headers ...string) answered {
	t.Helper()
	return d.sendContext(t.Context(), t, method, path, content, headers...)
}

func (d door) sendContext(ctx context.Context, t *testing.T, method, path string, content io.Reader, headers ...string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if sized, ok := content.(interface{ Len() int }); ok {
		req.ContentLength = int64(sized.Len())
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", d.name, method, path, err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != d.major {
		t.Fatalf("%s: answered with %s", d.name, resp.Proto)
	}
	got, err := io.ReadAll(resp.Body)
	return answered{resp, string(got), err}
}

// fixed and chunked are content with and without a length.
var framings = map[string]func(string) io.Reader{
	"fixed":   func(s string) io.Reader { return strings.NewReader(s) },
	"chunked": func(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} },
}

// stores are both kinds of store, a fresh one for each test.
func stores(t *testing.T) map[string]func(*Mount) {
	t.Helper()
	return map[string]func(*Mount){
		"memory":    func(*Mount) {},
		"directory": func(m *Mount) { m.Store = t.TempDir() },
	}
}

func TestUploads(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, noHold, withTLS(t), withMount(store))
		for _, d := range s.doors() {
			for framing, content := range framings {
				for _, method := range []string{"PUT", "POST"} {
					t.Run(strings.Join([]string{kind, d.name, framing, method}, ", "), func(t *testing.T) {
						const path = "/live/a%20dir/seg-1.m4s"
						d.wants(t, "GET", path, nil, 404, "")
						a := d.send(t, method, path, content("first"))
						if a.StatusCode != 201 || a.Header.Get("Content-Location") != path || a.ContentLength != 0 || a.Header.Get("Content-Length") != "0" {
							t.Errorf("new: %s, %v", a.Status, a.Header)
						}
						d.wants(t, "GET", path, nil, 200, "first")
						a = d.send(t, method, path, content("second"))
						if a.StatusCode != 204 || a.Header.Get("Content-Location") != path || a.body != "" || a.Header.Get("Content-Length") != "" {
							t.Errorf("replaced: %s, %v", a.Status, a.Header)
						}
						d.wants(t, "GET", path, nil, 200, "second")
						a = d.send(t, "DELETE", path, nil)
						if a.StatusCode != 200 || a.Header.Get("Content-Length") != "0" {
							t.Errorf("deleted: %s, %v", a.Status, a.Header)
						}
						d.wants(t, "GET", path, nil, 404, "")
						d.wants(t, "DELETE", path, nil, 404, "")
					})
				}
			}
		}
	}
}

// wants sends a request and holds the answer against a status and, unless it
// is an error, its content.
func (d door) wants(t *testing.T, method, path string, content io.Reader, status int, body string) {
	t.Helper()
	a := d.send(t, method, path, content)
	if a.StatusCode != status || a.err != nil || status < 400 && a.body != body {
		t.Errorf("%s: %s %s: %s, %d bytes, %v; want %d, %d bytes", d.name, method, path, a.Status, len(a.body), a.err, status, len(body))
	}
}

func TestLargeUploads(t *testing.T) {
	random := make([]byte, 3<<20+17)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	s := start(t, noHold, withTLS(t))
	for _, d := range s.doors() {
		for framing, content := range framings {
			a := d.send(t, "PUT", "/seg-1.m4s", content(string(random)))
			got := d.send(t, "GET", "/seg-1.m4s", nil)
			if a.StatusCode/100 != 2 || got.ContentLength != int64(len(random)) || !bytes.Equal([]byte(got.body), random) {
				t.Errorf("%s, %s: %s, then %s with %d bytes", d.name, framing, a.Status, got.Status, len(got.body))
			}
		}
	}
}

func TestAnEmptyPUTMakesAnEmptyFile(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, noHold, withTLS(t), withMount(store))
		for _, d := range s.doors() {
			d.wants(t, "PUT", "/empty.txt", http.NoBody, 201, "")
			a := d.send(t, "GET", "/empty.txt", nil, "Range: bytes=0-")
			if a.StatusCode != 200 || a.Header.Get("Content-Length") != "0" || a.Header.Get("ETag") == "" || a.err != nil {
				t.Errorf("%s, %s: %s, %v", kind, d.name, a.Status, a.Header)
			}
			d.wants(t, "DELETE", "/empty.txt", nil, 200, "")
		}
	}
}

// TestAnEmptyPOSTIsAProbe is DASH-IF live media ingest, interface 1: a source
// tests the publishing point, or any name, with an empty body.
func TestAnEmptyPOSTIsAProbe(t *testing.T) {
	dir := t.TempDir()
	s := start(t, noHold, withTLS(t), withMount(func(m *Mount) { m.Store = dir; m.Path = "/live" }))
	s.put("/live/seg-1.m4s", "there before")
	for _, d := range s.doors() {
		for _, path := range []string{"/live", "/live/", "//live//", "/live/channel", "/live/channel/", "/live/seg-1.m4s", "/live/seg-2.m4s"} {
			for framing, content := range framings {
				if a := d.send(t, "POST", path, content("")); a.StatusCode != 200 || a.Header.Get("Content-Length") != "0" {
					t.Errorf("%s, %s, %s: %s, %v", d.name, framing, path, a.Status, a.Header)
				}
			}
		}
		d.wants(t, "POST", "/elsewhere", http.NoBody, 404, "")
		d.wants(t, "GET", "/live/seg-1.m4s", nil, 200, "there before")
	}
	if n := s.mounts[0].store.Stats().Files; n != 1 {
		t.Errorf("%d files", n)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 1 || err != nil {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestSlashesAreCleanedWithoutARedirect(t *testing.T) {
	s := start(t, noHold, withTLS(t))
	for _, d := range s.doors() {
		a := d.send(t, "POST", "//live//Streams(video-1280x720-700k.cmfv)", strings.NewReader("x"))
		if a.StatusCode != 201 || a.Header.Get("Content-Location") != "/live/Streams%28video-1280x720-700k.cmfv%29" && a.Header.Get("Content-Location") != "/live/Streams(video-1280x720-700k.cmfv)" {
			t.Errorf("%s: %s, %v", d.name, a.Status, a.Header)
		}
		for _, path := range []string{"/live/Streams(video-1280x720-700k.cmfv)", "///live/Streams(video-1280x720-700k.cmfv)", "/live%2FStreams%28video-1280x720-700k.cmfv)"} {
			d.wants(t, "GET", path, nil, 200, "x")
		}
		d.wants(t, "DELETE", "/live///Streams(video-1280x720-700k.cmfv)", nil, 200, "")
	}
}

// TestDeleteWithAnEmptyChunkedBody is how ffmpeg deletes.
func TestDeleteWithAnEmptyChunkedBody(t *testing.T) {
	s := start(t)
	c := s.dial()
	for range 2 {
		s.put("/seg-1.m4s", "x")
		c.send("DELETE /seg-1.m4s HTTP/1.1", "Host: o", "Transfer-Encoding: chunked")
		_, _ = io.WriteString(c, "0\r\n\r\n")
		if resp := c.response("DELETE"); resp.StatusCode != 200 || resp.ContentLength != 0 || resp.Close {
			t.Errorf("%s, %v", resp.Status, resp.Header)
		}
	}
}

func TestContentTypeOfUploads(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, withMount(store))
		for _, tc := range []struct{ path, sent, want string }{
			{"/live.mpd", "", "application/dash+xml"},
			{"/init.m4s", "video/mp4", "video/mp4"},
			{"/seg-1.m4s.3", "application/octet-stream", "video/iso.segment"},
			{"/x", "", unknownType},
			{"/page", "text/html", "text/html"},
		} {
			headers := []string{}
			if tc.sent != "" {
				headers = append(headers, "Content-Type: "+tc.sent)
			}
			if a := s.do("PUT", tc.path, "x", headers...); a.StatusCode != 201 {
				t.Fatalf("%s", a.Status)
			}
			for _, method := range []string{"GET", "HEAD"} {
				a := s.do(method, tc.path, "")
				if a.Header.Get("Content-Type") != tc.want || a.Header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: %s %s: %v, want %s", kind, method, tc.path, a.Header, tc.want)
				}
			}
		}
	}
}

// TestExpectContinue sees the interim response, and whether content was sent
// before it.
func TestExpectContinue(t *testing.T) {
	s := start(t, noHold, withTLS(t), withMount(func(m *Mount) { m.MaxUpload = 10 }))
	s.put("/there.m4s", "x")
	for _, d := range s.doors() {
		d.client.Transport.(*http.Transport).ExpectContinueTimeout = patience
		for _, tc := range []struct {
			path, content string
			headers       []string
			status        int
		}{
			{"/seg-1.m4s", "content", nil, 201},
			{"/seg-1.m4s", "content", nil, 204},
			{"/seg-1.m4s", "far too large", nil, 413},
			{"/seg-1.m4s", "content", []string{"Content-Range: bytes 6-0/7"}, 400},
			{"/there.m4s", "content", []string{"If-None-Match: *"}, 412},
			{"/../seg-1.m4s", "content", nil, 400},
		} {
			continued, early := false, false
			content := &watchedReader{Reader: strings.NewReader(tc.content), onRead: func() { early = early || !continued }}
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }})
			a := d.sendContext(ctx, t, "PUT", tc.path, content, append(tc.headers, "Expect: 100-continue")...)
			if wanted := tc.status < 300; a.StatusCode != tc.status || continued != wanted || early {
				t.Errorf("%s: %s: %s, continued %v, content before that %v", d.name, tc.path, a.Status, continued, early)
			}
		}
		d.wants(t, "DELETE", "/seg-1.m4s", nil, 200, "")
	}
}

// watchedReader tells when it is read from.
type watchedReader struct {
	*strings.Reader
	onRead func()
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.onRead()
	return r.Reader.Read(p)
}

// TestExpectContinueOnTheWire is what the client library cannot show: nothing
// but the 100 comes before the content, and the connection goes on.
func TestExpectContinueOnTheWire(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.MaxUpload = 10 }))
	c := s.dial()
	for range 2 {
		c.send("PUT /seg-1.m4s HTTP/1.1", "Host: o", "Content-Length: 5", "Expect: 100-continue")
		if resp := c.response("PUT"); resp.StatusCode != http.StatusContinue || len(resp.Header) > 0 {
			t.Fatalf("%s, %v", resp.Status, resp.Header)
		}
		_, _ = io.WriteString(c, "hello")
		if resp := c.response("PUT"); resp.StatusCode/100 != 2 || resp.Close {
			t.Fatalf("%s, closes %v", resp.Status, resp.Close)
		}
	}
	c.send("PUT /seg-1.m4s HTTP/1.1", "Host: o", "Content-Length: 11", "Expect: 100-continue")
	if resp := c.response("PUT"); resp.StatusCode != 413 || !resp.Close {
		t.Errorf("%s, closes %v", resp.Status, resp.Close)
	}
	if a := s.do("GET", "/seg-1.m4s", ""); a.body != "hello" {
		t.Errorf("now %q", a.body)
	}
}
