package push

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
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
	addr := f.Listener.Addr().String()
	f.CloseClientConnections()
	f.Close()
	h.close(w)
	again := &far{}
	again.Server = httptest.NewUnstartedServer(again)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	again.Listener.Close()
	again.Listener = l
	again.Start()
	t.Cleanup(again.Close)
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
