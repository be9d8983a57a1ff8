package origin

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// waiting tells how many requests the first mount's store holds.
func (s *testServer) waiting() int { return s.mounts[0].store.Stats().Waiters }

func TestTheNextSegmentIsWaitedFor(t *testing.T) {
	s := start(t)
	s.put("/v/chunk-00007.m4s", "seven")
	for name, client := range s.clients() {
		t.Run(name, func(t *testing.T) {
			s.put("/v/chunk-00007.m4s", "seven")
			_ = s.do("DELETE", "/v/chunk-00008.m4s", "")
			type result struct {
				resp *http.Response
				err  error
			}
			results := make(chan result)
			for range 5 {
				go func() {
					resp, err := client.Get(s.url + "/v/chunk-00008.m4s")
					results <- result{resp, err}
				}()
			}
			eventually(t, "all wait", func() bool { return s.waiting() == 5 })
			up := s.upload("/v/chunk-00008.m4s")
			up.chunk("eight, ")
			var bodies []io.ReadCloser
			for range 5 {
				r := <-results
				if r.err != nil {
					t.Fatal(r.err)
				}
				if r.resp.StatusCode != 200 {
					t.Fatal(r.resp.Status)
				}
				defer r.resp.Body.Close()
				expect(t, r.resp.Body, "eight, ") // before the upload's end
				bodies = append(bodies, r.resp.Body)
			}
			up.chunk("whole")
			up.end()
			for _, b := range bodies {
				if got, err := io.ReadAll(b); string(got) != "whole" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
}

func TestWhatNobodyWouldSendIsNotWaitedFor(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.HoldTimeout = Duration(time.Hour); m.MaxCacheSegs = 3 }))
	for _, n := range []string{"3", "4", "5", "6", "7"} {
		s.put("/v/seg-"+n+".m4s", n)
	}
	for path, caching := range map[string]string{
		"/v/seg-9.m4s":      defaultCaching[kindFuture],
		"/v/seg-99.m4s":     defaultCaching[kindFuture],
		"/v/seg-3.m4s":      defaultCaching[kindEvicted],
		"/v/seg-1.m4s":      defaultCaching[kindNever],
		"/w/seg-8.m4s":      defaultCaching[kindNever],
		"/favicon.ico":      defaultCaching[kindNever],
		"/v/manifest.mpd":   defaultCaching[kindNever],
		"/v/seg-8.m4s.bak":  defaultCaching[kindNever],
		"/v/seg-08.m4s":     defaultCaching[kindNever],
		"/v/../v/seg-8.m4s": "",
	} {
		a := s.do("GET", path, "") // the client's own timeout is far below an hour
		if a.StatusCode != 404 && caching != "" {
			t.Errorf("%s: %s", path, a.Status)
		}
		if caching != "" && a.Header.Get("Cache-Control") != caching {
			t.Errorf("%s: Cache-Control %q, want %q", path, a.Header.Get("Cache-Control"), caching)
		}
	}
}

func TestAWaitIsBounded(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.HoldTimeout = Duration(50 * time.Millisecond) }))
	s.put("/seg-1.m4s", "one")
	a := s.do("GET", "/seg-2.m4s", "")
	if a.StatusCode != 404 || a.Header.Get("Cache-Control") != defaultCaching[kindFuture] {
		t.Errorf("%s %v", a.Status, a.Header)
	}
	if got := counterValue(t, s.mounts[0].metrics.heldTimeout); got != 1 {
		t.Errorf("%v timeouts counted", got)
	}
}

func TestWaitsAreBoundedInNumber(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxWaiters = 2 })
	s.put("/seg-1.m4s", "one")
	for range 2 {
		c := s.dial()
		c.send("GET /seg-2.m4s HTTP/1.1", "Host: origin")
	}
	eventually(t, "two wait", func() bool { return s.waiting() == 2 })
	a := s.do("GET", "/seg-2.m4s", "")
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", a.Status, a.Header)
	}
}

func TestAWaitEndsWhenTheClientGoes(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.HoldTimeout = Duration(time.Hour) }))
	s.put("/seg-1.m4s", "one")
	c := s.dial()
	c.send("GET /seg-2.m4s HTTP/1.1", "Host: origin")
	eventually(t, "it waits", func() bool { return s.waiting() == 1 })
	_ = c.Close()
	eventually(t, "it waits no more", func() bool { return s.waiting() == 0 })
}

func TestAWaitForAnUploadThatFailsGoesOn(t *testing.T) {
	s := start(t)
	s.put("/live-1.m3u8.ts", "x")
	s.put("/seg-1.m4s", "one")
	c := s.dial()
	c.send("GET /seg-2.m4s HTTP/1.1", "Host: origin")
	eventually(t, "it waits", func() bool { return s.waiting() == 1 })
	s.put("/seg-2.m4s", "two")
	if resp := c.response("GET"); resp.StatusCode != 200 {
		t.Errorf("%s", resp.Status)
	}
}

func TestHoldingCanBeOff(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.HoldTimeout = 0 }))
	s.put("/seg-1.m4s", "one")
	if a := s.do("GET", "/seg-2.m4s", ""); a.StatusCode != 404 {
		t.Errorf("%s", a.Status)
	}
}
