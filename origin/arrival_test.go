package origin

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// TestTheVersionSentLastStays sends two versions back to back, each on a new
// connection, without waiting for an answer between them.
func TestTheVersionSentLastStays(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/live.mpd", "/seg-1.m4s"} {
		for round := range 60 {
			s.sendBackToBack(path, round)
		}
	}
}

func (s *testServer) sendBackToBack(path string, round int) {
	s.t.Helper()
	var conns []*rawConn
	var want string
	for version := range 3 {
		want = fmt.Sprintf("round %d, version %d", round, version)
		c := s.dial()
		head := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n", path, len(want))
		if _, err := io.WriteString(c, head+want); err != nil {
			s.t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		if resp := c.response("PUT"); resp.StatusCode/100 != 2 {
			s.t.Fatalf("%s: %s", path, resp.Status)
		}
		_ = c.Close()
	}
	if a := s.do("GET", path, ""); a.body != want {
		s.t.Errorf("%s: %q stayed, not %q", path, a.body, want)
	}
}

// TestAConnectionOpenedAheadIsNotOld uses a connection later than it was
// opened: what it brings is newer than what came meanwhile.
func TestAConnectionOpenedAheadIsNotOld(t *testing.T) {
	s := start(t)
	ahead := s.dial()
	s.put("/live.mpd", "warm up") // ahead is accepted before this is
	time.Sleep(3 * together)
	s.put("/live.mpd", "old")
	ahead.send("PUT /live.mpd HTTP/1.1", "Host: origin", "Content-Length: 3")
	_, _ = io.WriteString(ahead, "new")
	if resp := ahead.response("PUT"); resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp.Status)
	}
	if a := s.do("GET", "/live.mpd", ""); a.body != "new" {
		t.Errorf("%q stayed", a.body)
	}
}

// TestTheFirstByteMayComeLate: ffmpeg opens the request of an HLS init segment
// one segment before it has the bytes.
func TestTheFirstByteMayComeLate(t *testing.T) {
	const stall = 200 * time.Millisecond
	s := start(t, withMount(func(m *Mount) { m.UploadTimeout = Duration(stall) }))
	up := s.upload("/init.mp4")
	time.Sleep(2 * stall) // twice what may lie between later bytes
	up.chunk("init")
	if resp := up.end(); resp.StatusCode != http.StatusCreated {
		t.Errorf("%s", resp.Status)
	}
	idle := s.upload("/init2.mp4")
	if resp := idle.response("PUT"); resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("an upload without bytes: %s", resp.Status)
	}
}
