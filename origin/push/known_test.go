package push

import (
	"net"
	"net/http"
	"testing"
	"time"
)

// A server that came back has lost what it was sent once.
func TestInitAndManifestAreSentAgainAfterARestart(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	h.put("v/init.m4s", "init")
	h.put("v/seg-1.m4s", "1")
	h.put("live.mpd", "<MPD/>")
	h.put("old.mpd", "x")
	h.drain()
	if err := h.store.Delete("old.mpd"); err != nil {
		t.Fatal(err)
	}
	h.drain()
	w := h.create("v/seg-2.m4s")
	h.write(w, "2")
	eventually(t, "it arrives", f.has("/live/v/seg-2.m4s", "2"))
	again := f.restart(t)
	h.close(w)
	eventually(t, "the init segment", again.has("/live/v/init.m4s", "init"))
	eventually(t, "the manifest", again.has("/live/live.mpd", "<MPD/>"))
	eventually(t, "the segment", again.has("/live/v/seg-2.m4s", "2"))
	h.drain()
	if s := h.Stats()[0]; s.Resent != 2 || len(again.requests("")) != 3 {
		t.Errorf("%+v after %d requests", s, len(again.requests("")))
	}
}

// 412 says that the init segment is missing.
func TestInitIsSentAgainOn412(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	h.put("v/init.m4s", "init")
	h.drain()
	f.mu.Lock()
	f.answer = func(n int, _ *http.Request) int {
		if n == 2 {
			return 412
		}
		return 0
	}
	f.mu.Unlock()
	h.put("v/seg-1.m4s", "1")
	eventually(t, "both are there", func() bool { return h.Stats()[0].Sent == 2 && h.Stats()[0].Resent == 1 })
}

// A restart between two requests breaks none: that idle connections were closed
// is all that tells.
func TestInitAndManifestAreSentAgainAfterAnIdleRestart(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	h.put("v/init.m4s", "init")
	h.put("live.mpd", "<MPD/>")
	h.put("v/seg-1.m4s", "1")
	h.drain()
	again := f.restart(t)
	h.put("v/seg-2.m4s", "2")
	eventually(t, "the init segment", again.has("/live/v/init.m4s", "init"))
	eventually(t, "the manifest", again.has("/live/live.mpd", "<MPD/>"))
	h.want(Stats{Sent: 4, Resent: 2, Retried: h.Stats()[0].Retried})
}

// What the server closes after long disuse is not missed, and neither is what
// the push itself closes.
func TestClosedConnectionsThatAreNotMissed(t *testing.T) {
	for name, c := range map[string]struct {
		own    bool
		unused time.Duration
		want   bool
	}{
		"in use": {false, 0, true}, "long unused": {false, 2 * quietFor, false}, "by ourselves": {true, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			missed := false
			conn := newConn(near, func() { missed = true })
			conn.used.Add(-int64(c.unused))
			if c.own {
				_ = conn.Close()
			}
			far.Close()
			if _, err := conn.Read(make([]byte, 1)); err == nil || missed != c.want {
				t.Errorf("%v, missed: %v", err, missed)
			}
			_ = conn.Close()
		})
	}
}
