package push

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var errGone = errors.New("encoder gone")

// Each chunk is at the far end before the next is made.
func TestChunksArriveWhileTheFileGrows(t *testing.T) {
	for name, tls := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			f := &far{}
			f.Server = httptest.NewUnstartedServer(f)
			to := Destination{KA: true}
			if tls {
				f.EnableHTTP2 = true
				f.StartTLS()
				to.CAFile = writePEM(t, "ca.pem", "CERTIFICATE", f.Certificate().Raw)
			} else {
				f.Start()
			}
			t.Cleanup(f.Close)
			to.URL = f.URL + "/live"
			h := start(t, Options{}, to)
			w := h.create("v/seg-1.m4s")
			sent := ""
			for _, chunk := range []string{"one ", "two ", "three"} {
				h.write(w, chunk)
				sent += chunk
				eventually(t, "the chunk arrives", f.has("/live/v/seg-1.m4s", sent))
			}
			h.close(w)
			h.drain()
			q := f.requests("")[0]
			if q.method != "PUT" || q.err != nil || q.length != -1 || q.header.Get("Content-Type") != "video/iso.segment" {
				t.Errorf("%+v", q)
			}
			h.want(Stats{Sent: 1})
			if s := h.Stats()[0]; s.Bytes != int64(len(sent)) || s.URL != to.URL {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestSourceThatBreaksOffIsNoEnd(t *testing.T) {
	for name, reason := range map[string]error{"reason": errGone, "EOF": io.EOF, "wrapped EOF": errors.Join(errGone, io.EOF)} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			h := start(t, Options{}, f.to())
			w := h.create("seg-1.m4s")
			h.write(w, "half")
			eventually(t, "the half arrives", f.has("/live/seg-1.m4s", "half"))
			w.Abort(reason)
			eventually(t, "the request ends", func() bool { return f.requests("")[0].over })
			if q := f.requests("")[0]; q.err == nil {
				t.Error("the far end saw a clean end")
			}
			h.want(Stats{Broken: 1})
			if n := len(f.requests("")); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestManifestsAreSentWhole(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	broken := h.create("live.mpd")
	h.write(broken, "<MP")
	h.put("seg-1.m4s", "x")
	h.drainOf("seg-1.m4s", f)
	if n := len(f.requests("/live/live.mpd")); n != 0 {
		t.Fatal("a manifest was sent before it was complete")
	}
	broken.Abort(errGone)
	h.put("live.mpd", "<MPD/>")
	h.drain()
	q := f.requests("/live/live.mpd")
	if len(q) != 1 || q[0].body != "<MPD/>" || q[0].length != 6 || q[0].header.Get("Content-Type") != "application/dash+xml" {
		t.Errorf("%+v", q)
	}
}

func (h *harness) drainOf(name string, f *far) {
	h.t.Helper()
	eventually(h.t, name+" arrives", func() bool {
		q := f.requests("/live/" + name)
		return len(q) > 0 && q[len(q)-1].over
	})
}

// A manifest goes out after the segments that were there before it.
func TestManifestComesAfterItsSegments(t *testing.T) {
	f := newFar(t)
	var refused bool
	f.answer = func(_ int, r *http.Request) int {
		if strings.HasSuffix(r.URL.Path, ".m4s") && !refused {
			refused = true
			return 503
		}
		return 0
	}
	h := start(t, Options{}, f.to())
	h.put("seg-1.m4s", "x")
	h.put("live.m3u8", "#EXTM3U")
	h.drain()
	all := f.requests("")
	if len(all) != 3 || all[2].path != "/live/live.m3u8" {
		t.Errorf("%+v", all)
	}
}

// While one version of a manifest is on its way, of those that come only the
// newest is sent.
func TestManifestsCoalesce(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(*http.Request) <-chan struct{} { return let }
	h := start(t, Options{}, f.to())
	h.put("live.mpd", "1")
	eventually(t, "the first arrives", f.has("/live/live.mpd", "1"))
	for _, body := range []string{"2", "3", "4"} {
		h.put("live.mpd", body)
	}
	close(let)
	h.drain()
	var bodies []string
	for _, q := range f.requests("") {
		bodies = append(bodies, q.body)
	}
	if got := strings.Join(bodies, " "); got != "1 4" {
		t.Errorf("sent %s", got)
	}
	h.want(Stats{Sent: 2, Replaced: 2})
}

// A second upload of a name takes the place of one that still grows.
func TestNewerUploadOfAGrowingName(t *testing.T) {
	for name, keepFirst := range map[string]bool{"overwrite": false, "first wins": true} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			h := start(t, Options{KeepFirst: keepFirst}, f.to())
			old := h.create("seg-1.m4s")
			h.write(old, "old")
			eventually(t, "the old one arrives", f.has("/live/seg-1.m4s", "old"))
			h.put("seg-1.m4s", "new")
			if !keepFirst {
				eventually(t, "the new one arrives", f.has("/live/seg-1.m4s", "new"))
			}
			h.close(old)
			h.drain()
			all := f.requests("")
			switch {
			case keepFirst && (len(all) != 1 || all[0].err != nil):
				t.Errorf("%+v", all)
			case !keepFirst && (len(all) != 2 || all[0].err == nil || all[1].body != "new"):
				t.Errorf("%+v", all)
			}
			h.want(Stats{Sent: 1, Replaced: 1})
		})
	}
}

func TestKeepFirstSendsTheSecondWhenTheFirstBreaks(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{KeepFirst: true}, f.to())
	old := h.create("seg-1.m4s")
	h.write(old, "old")
	h.put("seg-1.m4s", "new")
	old.Abort(errGone)
	h.drain()
	if !f.has("/live/seg-1.m4s", "new")() {
		t.Error("the second was not sent")
	}
	h.want(Stats{Sent: 1, Broken: 1})
}

func TestDelete(t *testing.T) {
	f := newFar(t)
	f.answer = func(_ int, r *http.Request) int {
		switch {
		case r.Method != http.MethodDelete:
			return 0
		case strings.HasSuffix(r.URL.Path, "none.txt"):
			return 404
		}
		return 204
	}
	h := start(t, Options{}, f.to())
	h.put("a b/ä?.txt", "x")
	h.drain()
	if err := h.store.Delete("a b/ä?.txt"); err != nil {
		t.Fatal(err)
	}
	h.Deleted("none.txt")
	h.drain()
	q := f.requests("/live/a b/ä?.txt")
	if len(q) != 2 || q[0].method != "PUT" || q[1].method != "DELETE" || q[1].length != 0 {
		t.Errorf("%+v", q)
	}
	h.want(Stats{Sent: 1, Deleted: 2})
}

// What is deleted while it grows does not stay.
func TestDeleteOfAGrowingFile(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	w := h.create("seg-1.m4s")
	h.write(w, "half")
	eventually(t, "the half arrives", f.has("/live/seg-1.m4s", "half"))
	if err := h.store.Delete("seg-1.m4s"); err != nil {
		t.Fatal(err)
	}
	h.drain()
	all := f.requests("")
	if len(all) != 2 || all[0].err == nil || all[1].method != "DELETE" {
		t.Errorf("%+v", all)
	}
	w.Abort(errGone)
}
