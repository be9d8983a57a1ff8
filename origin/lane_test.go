package origin

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func counterValue(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	return testutil.ToFloat64(c)
}

// TestAConnectionGoesOnAfterAGrowingFile asks for one thing after the other on
// one connection, also without waiting for answers.
func TestAConnectionGoesOnAfterAGrowingFile(t *testing.T) {
	s := start(t)
	s.put("/done.m4s", "done")
	c := s.dial()
	for _, name := range []string{"/a-1.m4s", "/a-2.m4s", "/a-3.m4s"} {
		up := s.upload(name)
		up.chunk("begin ")
		s.growingFile(name, 6)
		c.send("GET "+name+" HTTP/1.1", "Host: origin")
		c.send("GET /done.m4s HTTP/1.1", "Host: origin") // in the same breath
		resp := c.response("GET")
		expect(t, resp.Body, "begin ")
		up.chunk("end")
		up.end()
		if rest, err := io.ReadAll(resp.Body); string(rest) != "end" || err != nil {
			t.Fatalf("%s: %q, %v", name, rest, err)
		}
		next := c.response("GET")
		if got, err := io.ReadAll(next.Body); string(got) != "done" || err != nil {
			t.Fatalf("after %s: %q, %v", name, got, err)
		}
	}
}

func TestARequestThatComesInPiecesAfterAGrowingFile(t *testing.T) {
	s := start(t)
	s.put("/done.m4s", "done")
	up := s.upload("/a-1.m4s")
	up.chunk("begin ")
	s.growingFile("/a-1.m4s", 6)
	c := s.dial()
	c.send("GET /a-1.m4s HTTP/1.1", "Host: origin\r\n\r\nGET /done.m4s HT") // "\r\n\r\n" follows: completed below
	resp := c.response("GET")
	expect(t, resp.Body, "begin ")
	up.end()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	// What was sent ahead is a broken request, and answered as one.
	if next := c.response("GET"); next.StatusCode != 400 {
		t.Errorf("%s", next.Status)
	}
}

func TestCloseIsHonouredAfterAGrowingFile(t *testing.T) {
	s := start(t)
	up := s.upload("/a-1.m4s")
	up.chunk("begin ")
	s.growingFile("/a-1.m4s", 6)
	c, resp := s.openGet("/a-1.m4s", "Connection: close")
	up.end()
	if got, err := io.ReadAll(resp.Body); string(got) != "begin " || err != nil || !resp.Close {
		t.Errorf("%q, %v, close %v", got, err, resp.Close)
	}
	if _, err := c.br.ReadByte(); err != io.EOF {
		t.Errorf("the connection stays open: %v", err)
	}
}

// TestHTTP10GetsAGrowingFileOnceItIsWhole: over HTTP/1.0 a body of unknown
// length ends with its connection, however it ends.
func TestHTTP10GetsAGrowingFileOnceItIsWhole(t *testing.T) {
	for name, end := range map[string]func(*liveUpload){
		"whole":  func(u *liveUpload) { u.chunk("end"); u.end() },
		"broken": func(u *liveUpload) { _ = u.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			up := s.upload("/a-1.m4s")
			up.chunk("begin ")
			s.growingFile("/a-1.m4s", 6)
			c := s.dial()
			c.send("GET /a-1.m4s HTTP/1.0")
			held := s.mounts[0].metrics.held
			eventually(t, "it waits", func() bool { return counterValue(t, held) == 1 })
			end(up)
			resp := c.response("GET")
			body, err := io.ReadAll(resp.Body)
			switch {
			case err != nil:
				t.Error(err)
			case name == "whole" && (string(body) != "begin end" || resp.ContentLength != 9 || resp.StatusCode != 200):
				t.Errorf("%s, length %d, %q", resp.Status, resp.ContentLength, body)
			case name == "broken" && (resp.StatusCode != http.StatusBadGateway || resp.Header.Get("Cache-Control") != "no-store"):
				t.Errorf("%s, %v, %q", resp.Status, resp.Header, body)
			}
		})
	}
}

func TestHTTP10UploadsNeedALength(t *testing.T) {
	s := start(t)
	s.put("/a-1.m4s", "old")
	for head, status := range map[string]int{
		"PUT /a-1.m4s HTTP/1.0":                                 411,
		"PUT /a-1.m4s HTTP/1.0\r\nTransfer-Encoding: chunked":   411,
		"PUT /b-1.m4s HTTP/1.0\r\nContent-Length: 0":            201,
		"PUT /a-1.m4s HTTP/1.0\r\nHost: o\r\nContent-Length: 3": 204,
	} {
		c := s.dial()
		c.send(head)
		_, _ = io.WriteString(c, "new")
		if resp := c.response("PUT"); resp.StatusCode != status {
			t.Errorf("%s: %s", head, resp.Status)
		}
	}
	if a := s.do("GET", "/a-1.m4s", ""); a.body != "new" {
		t.Errorf("now %q", a.body)
	}
}

func TestHeldRequestsDoNotHoldUpTheStop(t *testing.T) {
	cfg := loopbackConfig()
	cfg.Mounts[0].HoldTimeout = Duration(2 * patience)
	s, stop, done := startOnly(t, cfg)
	s.grace = 2 * patience
	ts := &testServer{Server: s, t: t, url: s.URLs()[0], client: &http.Client{Timeout: patience}}
	ts.put("/a-1.m4s", "one")
	ts.client.CloseIdleConnections()
	c := ts.dial()
	c.send("GET /a-2.m4s HTTP/1.1", "Host: origin")
	eventually(t, "it waits", func() bool { return ts.waiting() == 1 })
	stop()
	if resp := c.response("GET"); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOneChunkIsOneWrite looks at the HTTP chunks that a viewer gets.
func TestOneChunkIsOneWrite(t *testing.T) {
	s := start(t)
	up := s.upload("/a-1.m4s")
	up.chunk("begin")
	s.growingFile("/a-1.m4s", 5)
	c, _ := s.openGet("/a-1.m4s")
	buf := make([]byte, 64<<10)
	read := func() string {
		n, err := c.br.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	if got := read(); got != "5\r\nbegin\r\n" {
		t.Errorf("first chunk %q", got)
	}
	fragment := string([]byte{0, 0, 0, 0}) + strings.Repeat("x", 20_000)
	up.chunk(fragment)
	var got string
	for !strings.HasSuffix(got, "\r\n") || len(got) < len(fragment) {
		got += read()
	}
	if want := "4e24\r\n" + fragment + "\r\n"; got != want {
		t.Errorf("%d bytes beginning %.10q, want one chunk of %d", len(got), got, len(fragment))
	}
	up.end()
	if got := read(); got != "0\r\n\r\n" {
		t.Errorf("end %q", got)
	}
}

// stuckViewer asks for a growing file and reads nothing.
func stuckViewer(s *testServer, path string) {
	c := s.dial()
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		s.t.Fatal(err)
	}
	c.send("GET "+path+" HTTP/1.1", "Host: origin")
}

// trickle reads slowly, but steadily.
func trickle(r io.Reader) {
	for {
		if _, err := io.CopyN(io.Discard, r, 4<<10); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// flood sends up to so many megabytes, until the condition holds.
func flood(t *testing.T, up *liveUpload, megabytes int, until func() bool) {
	t.Helper()
	piece := strings.Repeat("x", 64<<10)
	for range megabytes * 16 {
		up.chunk(piece)
		if until() {
			return
		}
	}
	eventually(t, "the slow viewer is cut", until)
}

func TestASlowViewerIsCutAndCounted(t *testing.T) {
	for _, tc := range []struct {
		reason string
		mount  func(*Mount)
	}{
		{cutSlow, func(m *Mount) { m.ViewerTimeout = Duration(200 * time.Millisecond); m.MaxLag = 0; m.MaxUpload = 0 }},
		{cutLag, func(m *Mount) { m.ViewerTimeout = Duration(patience); m.MaxLag = 1; m.MaxUpload = 0 }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := start(t, withMount(tc.mount))
			up := s.upload("/a-1.m4s")
			up.chunk("begin ")
			s.growingFile("/a-1.m4s", 6)
			_, quick := s.openGet("/a-1.m4s")
			if tc.reason == cutSlow {
				go func() { _, _ = io.Copy(io.Discard, quick.Body) }()
				stuckViewer(s, "/a-1.m4s")
				eventually(t, "both watch", func() bool { return s.Stats().Viewers == 2 })
			} else {
				go trickle(quick.Body)
			}
			cut := s.mounts[0].metrics.cut[tc.reason]
			flood(t, up, 24, func() bool { return counterValue(t, cut) >= 1 })
			_ = up.Close()
			eventually(t, "nobody watches", func() bool { return s.Stats().Viewers == 0 })
		})
	}
}

// idleBody asks over h2c for a file and reads none of it.
func idleBody(t *testing.T, s *testServer, path string) {
	t.Helper()
	resp, err := s.clients()["h2c"].Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
}

func TestASlowViewerOverHTTP2IsCutAndCounted(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.ViewerTimeout = Duration(200 * time.Millisecond); m.MaxLag = 0; m.MaxUpload = 0 }))
	up := s.upload("/a-1.m4s")
	up.chunk("begin ")
	s.growingFile("/a-1.m4s", 6)
	idleBody(t, s, "/a-1.m4s")
	cut := s.mounts[0].metrics.cut[cutSlow]
	flood(t, up, 24, func() bool { return counterValue(t, cut) >= 1 })
}

func TestASlowViewerOfACompleteFileIsCutAndCounted(t *testing.T) {
	for name, ask := range map[string]func(*testServer){
		"HTTP/1.1": func(s *testServer) { stuckViewer(s, "/a-1.m4s") },
		"h2c":      func(s *testServer) { idleBody(s.t, s, "/a-1.m4s") },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withMount(func(m *Mount) { m.ViewerTimeout = Duration(200 * time.Millisecond) }))
			s.put("/a-1.m4s", strings.Repeat("x", 24<<20))
			s.t = t
			ask(s)
			eventually(t, "it is cut", func() bool { return counterValue(t, s.mounts[0].metrics.cut[cutSlow]) == 1 })
		})
	}
}

// TestStoppingDoesNotWaitForIdleConnections counts on the grace being longer
// than the test is patient.
func TestStoppingDoesNotWaitForIdleConnections(t *testing.T) {
	s, stop, done := startOnly(t, loopbackConfig())
	s.grace = 2 * patience
	ts := &testServer{Server: s, t: t, url: s.URLs()[0]}
	up := ts.upload("/a-1.m4s")
	up.chunk("begin ")
	ts.growingFile("/a-1.m4s", 6)
	_, resp := ts.openGet("/a-1.m4s")
	up.end()
	if _, err := io.ReadAll(resp.Body); err != nil { // its connection is handed back
		t.Fatal(err)
	}
	began := time.Now()
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("still not stopped")
	}
	took := time.Since(began)
	began = time.Now()
	_, stopFresh, freshDone := startOnly(t, loopbackConfig())
	stopFresh()
	if err := <-freshDone; err != nil {
		t.Error(err)
	}
	// net/http gives a new connection five seconds for its first request.
	if fresh := time.Since(began); took > fresh+3*time.Second {
		t.Errorf("took %v, without connections %v", took, fresh)
	}
}

func TestALateJoinerIsNotSlow(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.MaxLag = 1000; m.MaxUpload = 0 }))
	up := s.upload("/a-1.m4s")
	big := strings.Repeat("x", 3<<20)
	up.chunk(big)
	s.growingFile("/a-1.m4s", int64(len(big)))
	_, resp := s.openGet("/a-1.m4s")
	expect(t, resp.Body, big)
	up.end()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
}

func TestGrowingOverTLS(t *testing.T) {
	s := start(t, withTLS(t))
	for name, client := range s.tlsClients() {
		t.Run(name, func(t *testing.T) {
			up := s.upload("/a-1.m4s")
			up.chunk("begin ")
			s.growingFile("/a-1.m4s", 6)
			resp, err := client.Get(s.URLs()[1] + "/a-1.m4s")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.Proto != name {
				t.Fatalf("spoke %s", resp.Proto)
			}
			expect(t, resp.Body, "begin ")
			up.chunk("middle ")
			expect(t, resp.Body, "middle ")
			up.chunk("end")
			up.end()
			if rest, err := io.ReadAll(resp.Body); string(rest) != "end" || err != nil {
				t.Errorf("%q, %v", rest, err)
			}
			if a := s.do("DELETE", "/a-1.m4s", ""); a.StatusCode != http.StatusOK {
				t.Errorf("DELETE: %s", a.Status)
			}
		})
	}
}
