package origin

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// openGet sends a GET on a connection of its own and returns the head of the
// answer; the body is the caller's to read as it comes.
func (s *testServer) openGet(path string, headers ...string) (*rawConn, *http.Response) {
	s.t.Helper()
	c := s.dial()
	c.send(append([]string{"GET " + path + " HTTP/1.1", "Host: origin"}, headers...)...)
	resp := c.response("GET")
	return c, resp
}

func TestASegmentGoesOutWhileItComesIn(t *testing.T) {
	for name, path := range map[string]string{"memory": "", "directory": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withMount(func(m *Mount) {
				if path != "" {
					m.Store = path
				}
			}))
			up := s.upload("/live/seg-1.m4s")
			up.chunk("first,")
			s.growingFile("/live/seg-1.m4s", 6)
			_, resp := s.openGet("/live/seg-1.m4s")
			if resp.StatusCode != 200 || resp.ContentLength != -1 || resp.Header.Get("ETag") != "" || resp.Header.Get("Content-Type") != "video/iso.segment" {
				t.Errorf("%s, length %d, %v", resp.Status, resp.ContentLength, resp.Header)
			}
			expect(t, resp.Body, "first,")
			for i := range 20 {
				text := "chunk " + strconv.Itoa(i) + ","
				up.chunk(text)
				expect(t, resp.Body, text) // before the next is sent: nothing waits for more
			}
			if got := up.end(); got.StatusCode != http.StatusCreated {
				t.Errorf("PUT: %s", got.Status)
			}
			if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
				t.Errorf("%q, %v after the end", rest, err)
			}
			if a := s.do("GET", "/live/seg-1.m4s", ""); a.ContentLength <= 6 || a.Header.Get("ETag") == "" || !strings.HasPrefix(a.body, "first,chunk 0,") {
				t.Errorf("complete: %s, length %d, %v", a.Status, a.ContentLength, a.Header)
			}
		})
	}
}

func TestHeadersComeBeforeBytes(t *testing.T) {
	s := start(t)
	s.put("/seg-1.m4s", "x")
	up := s.upload("/seg-2.m4s")
	up.chunk(string([]byte{0, 0, 0, 100}) + "styp") // the box goes on: nothing to publish for some milliseconds
	eventually(t, "it grows", func() bool { _, err := s.mounts[0].store.Lookup("seg-2.m4s"); return err == nil })
	_, resp := s.openGet("/seg-2.m4s")
	if resp.StatusCode != 200 {
		t.Fatalf("%s", resp.Status)
	}
	up.chunk("rest")
	up.end()
	if got, err := io.ReadAll(resp.Body); len(got) != 12 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnAnnouncedLengthIsPassedOn(t *testing.T) {
	s := start(t)
	c := s.dial()
	c.send("PUT /seg-1.m4s HTTP/1.1", "Host: origin", "Content-Length: 10")
	_, _ = io.WriteString(c, "01234")
	s.growingFile("/seg-1.m4s", 5)
	for _, tc := range []struct {
		rng, status, contentRange string
		length                    int64
		body                      string
	}{
		{"", "200 OK", "", 10, "0123456789"},
		{"bytes=0-", "206 Partial Content", "bytes 0-9/10", 10, "0123456789"},
		{"bytes=3-7", "206 Partial Content", "bytes 3-7/10", 5, "34567"},
		{"bytes=8-9007199254740991", "206 Partial Content", "bytes 8-9/10", 2, "89"},
		{"bytes=10-", "416 Requested Range Not Satisfiable", "bytes */10", -2, ""},
	} {
		_, resp := s.openGet("/seg-1.m4s", "Range: "+tc.rng)
		if resp.Status != tc.status || resp.Header.Get("Content-Range") != tc.contentRange || (tc.length >= 0 && resp.ContentLength != tc.length) {
			t.Errorf("%s: %s, length %d, range %q", tc.rng, resp.Status, resp.ContentLength, resp.Header.Get("Content-Range"))
		}
		if resp.StatusCode != 416 {
			defer func() { // after the upload's end, below
				if got, err := io.ReadAll(resp.Body); string(got) != tc.body || err != nil {
					t.Errorf("%s: %q, %v; want %q", tc.rng, got, err, tc.body)
				}
			}()
		}
	}
	if a := s.do("HEAD", "/seg-1.m4s", ""); a.ContentLength != 10 {
		t.Errorf("HEAD: length %d", a.ContentLength)
	}
	_, _ = io.WriteString(c, "56789")
	if resp := c.response("PUT"); resp.StatusCode != 201 {
		t.Fatalf("PUT: %s", resp.Status)
	}
}

func TestHeadOfAGrowingFileHasNoLength(t *testing.T) {
	s := start(t)
	up := s.upload("/seg-1.m4s")
	up.chunk("some")
	s.growingFile("/seg-1.m4s", 4)
	c := s.dial()
	c.send("HEAD /seg-1.m4s HTTP/1.1", "Host: origin")
	if resp := c.response("HEAD"); resp.StatusCode != 200 || resp.Header.Get("Content-Length") != "" {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	c.send("HEAD /seg-1.m4s HTTP/1.1", "Host: origin") // the connection is still good
	if resp := c.response("HEAD"); resp.StatusCode != 200 {
		t.Errorf("%s", resp.Status)
	}
	up.end()
}

// TestRangesOfAGrowingFile asks while "0123456789" has come and "abcde" is
// still to come.
func TestRangesOfAGrowingFile(t *testing.T) {
	for _, tc := range []struct {
		rng          string
		status       int
		contentRange string
		length       int64
		body         string
	}{
		{"bytes=0-9007199254740991", 206, "bytes 0-9007199254740991/*", -1, "0123456789abcde"},
		{"bytes=4-9007199254740991", 206, "bytes 4-9007199254740991/*", -1, "456789abcde"},
		{"bytes=12-9007199254740991", 206, "bytes 12-9007199254740991/*", -1, "cde"},
		{"bytes=0-", 200, "", -1, "0123456789abcde"},
		{"bytes=4-", 206, "bytes 4-9007199254740991/*", -1, "456789abcde"},
		{"bytes=2-5", 206, "bytes 2-5/*", 4, "2345"},
		{"bytes=8-11", 206, "bytes 8-11/*", 4, "89ab"},
		{"bytes=8-99", 206, "bytes 8-14/15", 7, "89abcde"},
		{"bytes=15-", 416, "bytes */15", -2, ""},
		{"bytes=15-20", 416, "bytes */15", -2, ""},
		{"bytes=-3", 200, "", -1, "0123456789abcde"},
		{"bytes=0-1,4-5", 200, "", -1, "0123456789abcde"},
		{"lines=0-1", 200, "", -1, "0123456789abcde"},
	} {
		t.Run(tc.rng, func(t *testing.T) {
			s := start(t)
			up := s.upload("/seg-1.m4s")
			up.chunk("0123456789")
			s.growingFile("/seg-1.m4s", 10)
			c := s.dial()
			c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin", "Range: "+tc.rng)
			up.chunk("ab")
			s.growingFile("/seg-1.m4s", 12)
			up.chunk("cde")
			var resp *http.Response
			if tc.length == -1 { // these do not wait for the end
				resp = c.response("GET")
				up.end()
			} else {
				up.end()
				resp = c.response("GET")
			}
			if resp.StatusCode != tc.status || resp.Header.Get("Content-Range") != tc.contentRange || (tc.length >= -1 && resp.ContentLength != tc.length) {
				t.Errorf("%s, length %d, range %q", resp.Status, resp.ContentLength, resp.Header.Get("Content-Range"))
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || (tc.status != 416 && string(got) != tc.body) {
				t.Errorf("%q, %v; want %q", got, err, tc.body)
			}
		})
	}
}

func TestAClosedRangeOfAFailedUpload(t *testing.T) {
	s := start(t)
	up := s.upload("/seg-1.m4s")
	up.chunk("0123456789")
	s.growingFile("/seg-1.m4s", 10)
	c := s.dial()
	c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin", "Range: bytes=5-20")
	held := s.mounts[0].metrics.held
	eventually(t, "the range is waited for", func() bool { return counterValue(t, held) == 1 })
	_ = up.Close()
	if resp := c.response("GET"); resp.StatusCode != http.StatusBadGateway || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
}

// clients reach the server over each protocol that it speaks.
func (s *testServer) clients() map[string]*http.Client {
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: h2c, DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return map[string]*http.Client{"HTTP/1.1": s.client, "h2c": {Transport: transport, Timeout: patience}}
}

func TestAnUploadThatFailsNeverLooksWhole(t *testing.T) {
	s := start(t, withMount(func(m *Mount) {
		m.UploadTimeout = Duration(300 * time.Millisecond)
		m.HoldTimeout = Duration(50 * time.Millisecond) // the encoder may send the segment again
	}))
	for name, client := range s.clients() {
		for how, breakOff := range map[string]func(*liveUpload){
			"encoder gone":    func(u *liveUpload) { _ = u.Close() },
			"encoder stalled": func(*liveUpload) {},
			"bad chunk":       func(u *liveUpload) { _, _ = io.WriteString(u, "zz\r\nnot a chunk") },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				up := s.upload("/seg-1.m4s")
				up.chunk("some bytes")
				s.growingFile("/seg-1.m4s", 10)
				resp, err := client.Get(s.url + "/seg-1.m4s")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				expect(t, resp.Body, "some bytes")
				breakOff(up)
				if rest, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("%q and a clean end", rest)
				}
				if a := s.do("GET", "/seg-1.m4s", ""); a.StatusCode != 404 {
					t.Errorf("afterwards: %s %q", a.Status, a.body)
				}
			})
		}
	}
}

func TestAStalledUploadIsToldWhy(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.UploadTimeout = Duration(200 * time.Millisecond) }))
	up := s.upload("/seg-1.m4s")
	up.chunk("some bytes")
	resp := up.response("PUT")
	if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
		t.Errorf("%s, close %v", resp.Status, resp.Close)
	}
}

func TestASlowButSteadyUploadIsNotCut(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.UploadTimeout = Duration(400 * time.Millisecond) }))
	up := s.upload("/seg-1.m4s")
	for began := time.Now(); time.Since(began) < 1200*time.Millisecond; time.Sleep(50 * time.Millisecond) {
		up.chunk("tick")
	}
	if resp := up.end(); resp.StatusCode != 201 {
		t.Errorf("%s", resp.Status)
	}
	// The connection outlives its upload: no deadline is left on it.
	time.Sleep(600 * time.Millisecond)
	up.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	if resp := up.response("GET"); resp.StatusCode != 200 {
		t.Errorf("next request: %s", resp.Status)
	}
}

func TestAFailedUploadLeavesTheVersionBefore(t *testing.T) {
	s := start(t)
	s.put("/seg-1.m4s", "old and whole")
	up := s.upload("/seg-1.m4s")
	up.chunk("new")
	s.growingFile("/seg-1.m4s", 3)
	eventually(t, "the new one is seen", func() bool {
		_, resp := s.openGet("/seg-1.m4s")
		return resp.ContentLength == -1
	})
	_ = up.Close()
	eventually(t, "the old one is back", func() bool {
		a := s.do("GET", "/seg-1.m4s", "")
		return a.StatusCode == 200 && a.body == "old and whole"
	})
}

func TestAReplacedFileIsReadToItsEnd(t *testing.T) {
	s := start(t)
	first := s.upload("/seg-1.m4s")
	first.chunk("first ")
	s.growingFile("/seg-1.m4s", 6)
	_, resp := s.openGet("/seg-1.m4s")
	expect(t, resp.Body, "first ")
	s.put("/seg-1.m4s", "second")
	first.chunk("and its end")
	first.end()
	if got, err := io.ReadAll(resp.Body); string(got) != "and its end" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if a := s.do("GET", "/seg-1.m4s", ""); a.body != "second" {
		t.Errorf("now %q", a.body)
	}
}

func TestAManifestIsSeenOnlyWhole(t *testing.T) {
	s := start(t)
	up := s.upload("/live.mpd")
	up.chunk("<MPD>")
	eventually(t, "the upload is under way", func() bool { return s.Stats().Uploads == 1 })
	if a := s.do("GET", "/live.mpd", ""); a.StatusCode != 404 {
		t.Errorf("half a manifest: %s %q", a.Status, a.body)
	}
	up.chunk("</MPD>")
	up.end()
	if a := s.do("GET", "/live.mpd", ""); a.body != "<MPD></MPD>" || a.Header.Get("Content-Type") != "application/dash+xml" {
		t.Errorf("%s %q %v", a.Status, a.body, a.Header)
	}
}
