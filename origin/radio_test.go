package origin

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, http.NoBody)
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

// TestRelaySlowViewer: who takes nothing is cut, and nobody waits for him; his
// transfer breaks.
func TestRelaySlowViewer(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) { m.Relay.MaxAsyncBuf = 100_000 }))
	slow, quick := s.dial(), s.tune("/live")
	slow.send("GET /live HTTP/1.1", "Host: origin")
	resp := slow.response("GET")
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
	if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("his transfer ended with %v", err)
	}
	cut := s.mounts[0].metrics.cut // lag, or slow if a write was stuck
	eventually(t, "it is counted", func() bool { return counterValue(t, cut[cutLag])+counterValue(t, cut[cutSlow]) == 1 })
}

// TestRelayBlockIO: the upload waits for a viewer who is far behind, who gets all
// of it.
func TestRelayBlockIO(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) { m.BlockIO = true }))
	slow := s.tune("/live")
	relay := s.mounts[0].relay
	const size = 64 << 20 // more than sockets hold
	done := make(chan answered, 1)
	go func() { done <- s.do("PUT", "/live", strings.Repeat("0123456789abcdef", size/16)) }()
	var before int64
	eventually(t, "the upload waits", func() bool {
		time.Sleep(20 * time.Millisecond)
		now := relay.BytesIn()
		stands := now == before && now > 0
		before = now
		return stands || len(done) > 0
	})
	if len(done) > 0 {
		t.Fatal("the upload ended before anybody took it")
	}
	if n, err := io.CopyN(io.Discard, slow.Body, size); n != size || err != nil {
		t.Errorf("%d bytes of %d, %v", n, size, err)
	}
	if up := <-done; up.StatusCode != 200 || relay.Cut() != 0 {
		t.Errorf("the upload: %s; %d cut", up.Status, relay.Cut())
	}
}

// TestRelayFails: a viewer whose input fails does not take it for the end.
func TestRelayFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("headwater"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRelay(file, func(m *Mount) { m.Relay.Hold, m.Relay.Reopen = true, true }))
	if got := s.do("GET", "/live", ""); got.body != "headwater" || got.err != nil {
		t.Errorf("%q, %v", got.body, got.err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := s.do("GET", "/live", ""); got.StatusCode != 200 || got.err == nil {
		t.Errorf("%s %q, %v", got.Status, got.body, got.err)
	}
}

// TestRelayOver: what is over is gone for HEAD, too, and whatever was sent is
// counted.
func TestRelayOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("headwater"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRelay(file, func(m *Mount) { m.Relay.Hold = true }))
	if got := s.do("HEAD", "/live", "").StatusCode; got != 200 {
		t.Errorf("HEAD before: %d", got)
	}
	s.do("GET", "/live", "")
	<-s.mounts[0].relay.Done()
	if got := s.do("HEAD", "/live", ""); got.StatusCode != 404 || got.body != "" {
		t.Errorf("HEAD after: %d %q", got.StatusCode, got.body)
	}
	m := s.mounts[0].metrics
	eventually(t, "it is counted", func() bool {
		return counterValue(t, m.ingestBytes) == 9 && counterValue(t, m.egressBytes) == 9 && counterValue(t, m.viewers) == 0
	})
}

// mp3Silence is a frame of 128 kbit/s at 44.1 kHz, mono.
func mp3Silence() []byte { return append([]byte{0xff, 0xfb, 0x90, 0xc0}, make([]byte, 413)...) }

// TestRelayOldPlayer: one of HTTP/1.0 gets the bytes bare, and the head at once,
// whatever it asks for besides.
func TestRelayOldPlayer(t *testing.T) {
	s := start(t, withRelay(inputPut, func(m *Mount) { m.Path, m.Relay.MetaInt = "/live.mp3", 400 }))
	c := s.dial()
	c.send("GET /live.mp3 HTTP/1.0", "icy-metadata:1", "Range: bytes=100-", "User-Agent: WinampMPEG/5.0")
	resp := c.response("GET")
	if resp.StatusCode != 200 || len(resp.TransferEncoding) > 0 || !resp.Close || resp.Header.Get("Content-Range") != "" {
		t.Errorf("%s, transfer encoding %q", resp.Status, resp.TransferEncoding)
	}
	if resp.Header.Get("Content-Type") != "audio/mpeg" || resp.Header.Get("Accept-Ranges") != "none" || resp.Header.Get("Icy-Metaint") != "400" {
		t.Errorf("head: %v", resp.Header)
	}
	u := s.upload("/live.mp3")
	sound := strings.Repeat(string(mp3Silence()), 3)
	u.chunk(sound)
	expect(t, c.br, sound[:400]+"\x00"+sound[400:800]+"\x00")
	if got := s.do("HEAD", "/live.mp3", "", "Range: bytes=0-1"); got.StatusCode != 200 || got.ContentLength >= 0 {
		t.Errorf("HEAD: %s, length %d", got.Status, got.ContentLength)
	}
}

// TestRelayTypeOfTheInput: where no name tells, the head waits for an input that
// is opened for its sake.
func TestRelayTypeOfTheInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sound")
	if err := os.WriteFile(file, bytes.Repeat(mp3Silence(), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRelay(file, func(m *Mount) { m.Relay.Hold, m.Relay.Ice = true, true }))
	h := s.tune("/live").Header
	if h.Get("Content-Type") != "audio/mpeg" || h.Get("Icy-Br") != "128" || h.Get("Ice-Audio-Info") != "samplerate=44100;channels=1;bitrate=128000" {
		t.Errorf("%v", h)
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
