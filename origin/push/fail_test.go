package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRetry(t *testing.T) {
	for _, code := range []int{-1, 408, 412, 425, 429, 500, 503} { // -1: the connection breaks
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := newFar(t)
			f.answer = func(n int, _ *http.Request) int {
				if n <= 2 {
					return code
				}
				return 0
			}
			h := start(t, Options{}, f.to())
			h.put("seg-1.m4s", "all of it")
			h.drain()
			h.want(Stats{Sent: 1, Retried: 2})
			if !f.has("/live/seg-1.m4s", "all of it")() {
				t.Error("not sent from the first byte")
			}
		})
	}
}

// A growing file whose request breaks is sent anew from its first byte, and
// goes on growing.
func TestRetryOfAGrowingFile(t *testing.T) {
	f := newFar(t)
	first := atomic.Bool{}
	h := start(t, Options{}, f.to())
	w := h.create("seg-1.m4s")
	h.write(w, "one ")
	eventually(t, "the first chunk", f.has("/live/seg-1.m4s", "one "))
	first.Store(true)
	f.CloseClientConnections()
	eventually(t, "it is sent again", func() bool { return len(f.requests("")) == 2 })
	h.write(w, "two")
	h.close(w)
	h.drain()
	all := f.requests("")
	if len(all) != 2 || all[0].err == nil || all[1].body != "one two" || all[1].err != nil {
		t.Errorf("%+v", all)
	}
	h.want(Stats{Sent: 1, Retried: 1})
}

func TestRefusedIsNotRetried(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 405, 409, 413, 501} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := newFar(t)
			f.answer = func(int, *http.Request) int { return code }
			h := start(t, Options{}, f.to())
			h.put("seg-1.m4s", "x")
			h.drain()
			h.want(Stats{Failed: 1})
			if n := h.Stats()[0].Undelivered(); n != 1 {
				t.Errorf("%d undelivered", n)
			}
		})
	}
}

// A refusal in the middle of a file ends the request, though the file grows on.
func TestRefusedWhileGrowing(t *testing.T) {
	f := newFar(t)
	f.answer = func(int, *http.Request) int { return 403 }
	f.before = func(w http.ResponseWriter, _ int) { w.Header().Set("Connection", "close") }
	h := start(t, Options{}, f.to())
	w := h.create("seg-1.m4s")
	h.write(w, "half")
	h.want(Stats{Failed: 1})
	h.close(w)
}

func TestRetryAfter(t *testing.T) {
	f := newFar(t)
	f.before = func(w http.ResponseWriter, code int) {
		if code == 429 {
			w.Header().Set("Retry-After", "1")
		}
	}
	var refusedAt, againAt time.Time
	f.answer = func(n int, _ *http.Request) int {
		if n == 1 {
			refusedAt = time.Now()
			return 429
		}
		if againAt.IsZero() {
			againAt = time.Now()
		}
		return 0
	}
	h := start(t, Options{}, f.to())
	h.put("seg-1.m4s", "x")
	eventually(t, "the pause begins", func() bool { return h.Stats()[0].Retried == 1 })
	h.put("other.txt", "the pause is for this, too")
	h.drain()
	if d := againAt.Sub(refusedAt); d < time.Second {
		t.Errorf("came again after %s", d)
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "3600": 30 * time.Second, "-1": 0, "soon": 0, "9999999999999999999": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second,
		"Fri, 02 Jan 2026 03:03:05 GMT": 0,
		"Fri, 02 Jan 2027 03:04:15 GMT": 30 * time.Second,
	} {
		if got := parseRetryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// deadURL is where nobody listens.
func deadURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

// A dead destination costs the other nothing, and its segments are skipped and
// counted once they are stale.
func TestDestinationsAreIndependent(t *testing.T) {
	f := newFar(t)
	living := f.to()
	living.MaxBehind = 10 // here a burst is not told from a live stream
	h := start(t, Options{}, Destination{URL: deadURL(t), KA: true, MaxBehind: 2}, living)
	for i := range 6 {
		h.put(fmt.Sprintf("v/seg-%d.m4s", i), "x")
	}
	eventually(t, "the living one has all", func() bool { return h.Stats()[1].Sent == 6 })
	eventually(t, "the dead one skips", func() bool { return h.Stats()[0].Skipped == 3 })
	if s := h.Stats()[0]; s.Waiting+s.InFlight != 3 || s.Sent != 0 || s.Undelivered() != 3 || s.Held != 3 {
		t.Errorf("%+v", s)
	}
}

// Init segments and manifests are not skipped, tracks do not count for each
// other, and with BlockIO nothing is skipped.
func TestWhatIsNotStale(t *testing.T) {
	h := start(t, Options{}, Destination{URL: deadURL(t), KA: true, MaxBehind: 1}, Destination{URL: deadURL(t), KA: true, MaxBehind: 1, BlockIO: true})
	h.put("v/init.m4s", "x")
	h.put("live.mpd", "x")
	h.put("a/seg-1.m4s", "x")
	for i := range 4 {
		h.put(fmt.Sprintf("v/seg-%d.m4s", i), "x")
		h.put(fmt.Sprintf("v/seg-%d.m4s.1", i), "x") // a part: of the same segment
	}
	eventually(t, "the stale are skipped", func() bool { return h.Stats()[0].Skipped == 4 })
	if s := h.Stats()[0]; s.Waiting+s.InFlight != 7 {
		t.Errorf("%+v", s)
	}
	if s := h.Stats()[1]; s.Waiting+s.InFlight != 11 || s.Skipped != 0 {
		t.Errorf("BlockIO: %+v", s)
	}
}

// A burst is no sign of a slow server.
func TestBurstIsNotStale(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(*http.Request) <-chan struct{} { return let }
	times := testTimes()
	times.staleAge = time.Hour
	h := start(t, Options{times: times}, f.to())
	for i := range 20 {
		h.put(fmt.Sprintf("seg-%d.m4s", i), "x")
	}
	close(let)
	h.drain()
	h.want(Stats{Sent: 20})
}

func TestHeldBytesAreBounded(t *testing.T) {
	h := start(t, Options{MaxHeld: 1000}, Destination{URL: deadURL(t), KA: true, BlockIO: true})
	h.put("init.mp4", strings.Repeat("x", 100))
	for i := range 10 {
		h.put(fmt.Sprintf("seg-%d.m4s", i), strings.Repeat("x", 300))
	}
	h.put("end.txt", "x")
	eventually(t, "the oldest segments are skipped", func() bool { return h.Stats()[0].Skipped == 8 })
	if s := h.Stats()[0]; s.Waiting+s.InFlight != 4 || s.Held != 701 {
		t.Errorf("%+v", s)
	}
}

func TestGiveUp(t *testing.T) {
	times := testTimes()
	times.giveUp = 50 * time.Millisecond
	h := start(t, Options{times: times}, Destination{URL: deadURL(t), KA: true})
	h.put("live.mpd", "x")
	h.Deleted("old.m4s")
	h.drain()
	if s := h.Stats()[0]; s.Failed != 2 || s.Retried == 0 {
		t.Errorf("%+v", s)
	}
}

func TestWithoutKA(t *testing.T) {
	for name, answers := range map[string][]int{"refused": {403}, "twice": {503, 503}} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			f.answer = func(n int, _ *http.Request) int { return answers[min(n, len(answers))-1] }
			p, err := New([]Destination{{URL: f.URL}}, Options{times: testTimes(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			p.Deleted("x") // told before Run: sent all the same
			err = p.Run(t.Context())
			var fatal *FatalError
			if !errors.As(err, &fatal) || fatal.URL != f.URL || len(f.requests("")) != len(answers) {
				t.Errorf("%v after %d requests", err, len(f.requests("")))
			}
			if err := p.Drain(context.Background()); !errors.Is(err, errStopped) && err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		f := newFar(t)
		f.answer = func(n int, _ *http.Request) int { return 503 * (n % 2) }
		to := f.to()
		to.KA = false
		h := start(t, Options{}, to)
		h.put("seg-1.m4s", "x")
		h.drain()
		h.want(Stats{Sent: 1, Retried: 1})
	})
}

// A server that takes nothing is noticed, while a source that gives nothing is
// waited for.
func TestTimeout(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(r *http.Request) <-chan struct{} {
		if strings.HasSuffix(r.URL.Path, "slow.txt") {
			return let
		}
		return nil
	}
	to := f.to()
	to.Timeout = 100 * time.Millisecond
	h := start(t, Options{}, to)
	w := h.create("seg-1.m4s")
	h.write(w, "half ")
	h.put("slow.txt", "x")
	eventually(t, "the slow one is tried again", func() bool { return h.Stats()[0].Retried >= 2 })
	h.write(w, "whole")
	h.close(w)
	eventually(t, "the other is not", f.has("/live/seg-1.m4s", "half whole"))
	if n := len(f.requests("/live/seg-1.m4s")); n != 1 {
		t.Errorf("%d requests for what only grew slowly", n)
	}
	close(let)
	h.drain()
}

func TestRunEndsWithUploadsUnderWay(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	w := h.create("seg-1.m4s")
	h.write(w, "half")
	h.create("live.mpd")
	eventually(t, "it arrives", f.has("/live/seg-1.m4s", "half"))
	h.stop()
	eventually(t, "the request ends", func() bool { return f.requests("")[0].over })
	if f.requests("")[0].err == nil {
		t.Error("a clean end")
	}
	eventually(t, "Run ends", func() bool { return len(h.ran) == 1 })
	h.put("late.txt", "x") // told in vain
	h.want(Stats{})
	if err := h.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	w.Abort(errGone)
}
