package origin

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withRelay makes the mount one stream at /live, with the input.
func withRelay(input string, change ...func(*Mount)) func(*Config) {
	return withMount(func(m *Mount) {
		m.Path, m.Relay.Input, m.Write = "/live", input, input == inputPut
		for _, c := range change {
			c(m)
		}
	})
}

// tune begins to listen, and returns once the head is there.
func (s *testServer) tune(path string, headers ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestRelayOfAnUpload: who listens gets what is uploaded from then on, and goes
// on with the next upload.
func TestRelayOfAnUpload(t *testing.T) {
	s := start(t, withRelay(inputPut))
	a, b := s.tune("/live"), s.tune("/live")
	for _, text := range []string{"first", "second"} {
		u := s.upload("/live")
		for _, part := range []string{" begins", " goes on"} {
			u.chunk(text + part)
			expect(t, a.Body, text+part)
			expect(t, b.Body, text+part)
		}
		if other := s.do("PUT", "/live", "another"); other.StatusCode != 409 || other.Header.Get("Retry-After") == "" {
			t.Errorf("another upload: %s", other.Status)
		}
		if resp := u.end(); resp.StatusCode != 200 {
			t.Errorf("the upload: %s", resp.Status)
		}
	}
	if cache := a.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") || a.ContentLength >= 0 {
		t.Errorf("Cache-Control %q, length %d", cache, a.ContentLength)
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{{"HEAD", "/live", 200}, {"GET", "/live/x", 404}, {"DELETE", "/live", 405}, {"OPTIONS", "/live", 204}} {
		if got := s.do(c.method, c.path, "").StatusCode; got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

// TestRelayBrokenUpload: an upload that breaks off ends the stream of nobody.
func TestRelayBrokenUpload(t *testing.T) {
	s := start(t, withRelay(inputPut))
	a := s.tune("/live")
	u := s.upload("/live")
	u.chunk("one ")
	expect(t, a.Body, "one ")
	_ = u.Close()
	eventually(t, "the next may come", func() bool { return s.do("PUT", "/live", "two").StatusCode == 200 })
	expect(t, a.Body, "two")
}

// TestRelayHeaders: what Icecast players look at, and titles in the stream for
// those who ask.
func TestRelayHeaders(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) {
		m.Relay.Ice, m.Relay.Title, m.Relay.MetaInt, m.MIME = true, "It's live", 10, "audio/ogg"
		m.Relay.IceHeaders = []string{"ice-genre", "Cool Rock", "Icy-Url", "http://example.com"}
	}))
	plain, asks := s.tune("/live"), s.tune("/live", "Icy-MetaData: 1")
	for name, want := range map[string]string{
		"Content-Type": "audio/ogg", "Icy-Name": "It's live", "Icy-Pub": "1", "Ice-Genre": "Cool Rock", "Icy-Url": "http://example.com",
	} {
		if got := plain.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if plain.Header.Get("Icy-Metaint") != "" || asks.Header.Get("Icy-Metaint") != "10" {
		t.Error("icy-metaint:", plain.Header.Get("Icy-Metaint"), asks.Header.Get("Icy-Metaint"))
	}
	u := s.upload("/live")
	sound := strings.Repeat("0123456789", 3)
	u.chunk(sound)
	expect(t, plain.Body, sound)
	expect(t, asks.Body, "0123456789"+"\x02StreamTitle='It’s live';\x00\x00\x00\x00\x00\x00"+"0123456789\x000123456789")
}

// TestRelayHold: a file waits for its first listener, who gets all of it; then
// it is over, and so is the server with quit.
func TestRelayHold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	text := bytes.Repeat([]byte("headwater "), 50_000)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRelay(file, func(m *Mount) { m.Relay.Hold = true }), func(c *Config) { c.Quit = true })
	got, err := io.ReadAll(s.tune("/live").Body)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
	}
	eventually(t, "the server ends", func() bool {
		resp, err := s.client.Get(s.url + "/live")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
}

// TestRelayReopen: with reopen each who comes after the end hears it from the
// beginning; without, it is no longer there.
func TestRelayReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("headwater"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, reopen := range []bool{true, false} {
		s := start(t, withRelay(file, func(m *Mount) { m.Relay.Hold, m.Relay.Reopen = true, reopen }))
		if got, err := io.ReadAll(s.tune("/live").Body); err != nil || string(got) != "headwater" {
			t.Errorf("%q, %v", got, err)
		}
		again := s.do("GET", "/live", "")
		if reopen && again.body != "headwater" || !reopen && (again.StatusCode != 404 || !strings.Contains(again.body, "no longer")) {
			t.Errorf("reopen %v: %s %q", reopen, again.Status, again.body)
		}
	}
}

// TestRelaySlowViewer: who takes nothing is cut, and nobody waits for him; with
// blockio the input does.
func TestRelaySlowViewer(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) { m.Relay.MaxAsyncBuf = 100_000 }))
	slow, quick := s.dial(), s.tune("/live")
	slow.send("GET /live HTTP/1.1", "Host: origin")
	slow.response("GET")
	u := s.upload("/live")
	piece := strings.Repeat("x", 50_000)
	relay := s.mounts[0].relay
	for relay.Cut() == 0 {
		u.chunk(piece)
		expect(t, quick.Body, piece)
	}
	u.end()
	if relay.Listeners() != 1 {
		t.Errorf("%d listeners are left", relay.Listeners())
	}
	if _, err := io.Copy(io.Discard, slow.br); err != nil {
		t.Log(err)
	}
}

// TestRelayRights: listening and feeding ask for passwords as all else does.
func TestRelayRights(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) { m.WriteFrom = []string{"192.0.2.1"} }))
	if got := s.do("PUT", "/live", "text").StatusCode; got != 403 {
		t.Errorf("an upload from elsewhere: %d", got)
	}
}

// TestRelayType: the type is what mime says, else what comes, else what ext says.
func TestRelayType(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*Mount)
		upload, wants string
	}{
		"mime":    {func(m *Mount) { m.MIME, m.Ext = "audio/x-mine", "ts" }, "text/html", "audio/x-mine"},
		"upload":  {func(m *Mount) { m.Ext = "ts" }, "text/html", "text/html"},
		"ext":     {func(m *Mount) { m.Ext = "ts" }, "", "video/mp2t"},
		"nothing": {func(*Mount) {}, "", "application/octet-stream"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withRelay(inputPut, c.change))
			if c.upload != "" {
				s.do("PUT", "/live", "some text", "Content-Type: "+c.upload)
			}
			if got := s.do("HEAD", "/live", "").Header.Get("Content-Type"); got != c.wants {
				t.Errorf("%q, want %q", got, c.wants)
			}
		})
	}
}
