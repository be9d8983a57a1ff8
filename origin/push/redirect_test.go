package push

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// balancer redirects what it gets, by a function of how many came before.
type balancer struct {
	*httptest.Server
	mu   sync.Mutex
	seen []http.Header // guarded by mu
}

// newBalancer's answer returns where the nth request goes; "" is 503.
func newBalancer(t *testing.T, code int, to func(n int, path string) string) *balancer {
	t.Helper()
	b := &balancer{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.seen = append(b.seen, r.Header.Clone())
		n := len(b.seen)
		b.mu.Unlock()
		if n == 1 { // a redirect that comes in the middle of a file
			_, _ = r.Body.Read(make([]byte, 1))
		}
		w.Header().Set("Connection", "close") // it does not wait for the end of the body
		where := to(n, r.URL.Path)
		if where == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Location", where)
		w.WriteHeader(code)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *balancer) requests() []http.Header {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]http.Header(nil), b.seen...)
}

// Credentials stay with the host that they are for.
func TestRedirects(t *testing.T) {
	second := newFar(t)
	first := newBalancer(t, 307, func(_ int, path string) string { return second.URL + path })
	to := Destination{
		URL: first.URL, KA: true, User: "me", Password: "pw",
		Hdrs: [][2]string{{"Cookie", "c"}, {"X-A", "1"}, {"Host", "cdn.example"}},
	}
	h := start(t, Options{}, to)
	h.put("seg-1.m4s", "one")
	h.Deleted("old.m4s") // no body: followed at once
	h.drain()
	if !second.has("/seg-1.m4s", "one")() || len(second.requests("/old.m4s")) != 1 {
		t.Errorf("%+v", second.requests(""))
	}
	for _, q := range second.requests("") {
		if q.header.Get("Authorization") != "" || q.header.Get("Cookie") != "" || q.header.Get("X-A") != "1" || q.header.Get("Host") == "cdn.example" {
			t.Errorf("another host was sent %v", q.header)
		}
	}
	if first.requests()[0].Get("Authorization") == "" {
		t.Error("the first was not sent the password")
	}
}

// Behind a balancer a growing file goes on while it grows. Once one was sent in
// vain, the balancer is asked before a byte of the next leaves.
func TestGrowingFilesAreRedirected(t *testing.T) {
	for _, code := range []int{307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			second := newFar(t)
			first := newBalancer(t, code, func(_ int, path string) string { return second.URL + path })
			h := start(t, Options{}, Destination{URL: first.URL, KA: true})
			for i := range 3 {
				name := fmt.Sprintf("seg-%d.m4s", i)
				w := h.create(name)
				h.write(w, "one ")
				eventually(t, "the chunk is behind the balancer", second.has("/"+name, "one "))
				h.write(w, "two")
				eventually(t, "the next chunk is", second.has("/"+name, "one two"))
				h.close(w)
				h.drain()
			}
			h.want(Stats{Sent: 3, Retried: 1})
			var asked []string
			for _, head := range first.requests() {
				asked = append(asked, head.Get("Expect"))
			}
			if got := strings.Join(asked, ","); got != ",100-continue,100-continue" {
				t.Errorf("the balancer was asked %q", got)
			}
		})
	}
}

// A balancer that knows better after a while is believed: neither what it said
// before, nor how often it failed, counts.
func TestRedirectsAreAskedForAnew(t *testing.T) {
	second := newFar(t)
	dead := deadURL(t)
	for name, to := range map[string]func(n int, path string) string{
		"the first place is dead": func(n int, path string) string {
			if n <= 2 {
				return dead + path
			}
			return second.URL + path
		},
		"it was down before": func(n int, path string) string {
			if n <= 2*maxRedirects {
				return ""
			}
			return second.URL + path
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := newBalancer(t, 307, to)
			h := start(t, Options{}, Destination{URL: first.URL, KA: true})
			w := h.create("seg-1.m4s")
			h.write(w, name)
			eventually(t, "it arrives", second.has("/seg-1.m4s", name))
			h.close(w)
			h.drain()
			if s := h.Stats()[0]; s.Sent != 1 || s.Failed != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Without KA a redirect is no failure.
func TestRedirectWithoutKA(t *testing.T) {
	second := newFar(t)
	second.answer = func(n int, _ *http.Request) int { return 503 * (n % 2) }
	first := newBalancer(t, 307, func(_ int, path string) string { return second.URL + path })
	h := start(t, Options{}, Destination{URL: first.URL})
	h.put("seg-1.m4s", "one")
	h.drain()
	if s := h.Stats()[0]; s.Sent != 1 {
		t.Errorf("%+v", s)
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	refuses := newFar(t)
	refuses.answer = func(int, *http.Request) int { return 401 }
	for name, c := range map[string]struct {
		tls      bool
		location string
		want     string
	}{
		"round and round": {false, "/seg-1.m4s", "the server answered 307"},
		"no URL":          {false, "ftp://h/x", "no URL of HTTP"},
		"out of TLS":      {true, "http://h/x?secret", "https to http"},
		"without a login": {false, refuses.URL + "/x?secret", "where a redirect led, answered 401"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", c.location)
				w.WriteHeader(307)
			}))
			to := Destination{KA: true, User: "me", Password: "secret"}
			if c.tls {
				s.StartTLS()
				to.CAFile = writePEM(t, "ca.pem", "CERTIFICATE", s.Certificate().Raw)
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			to.URL = s.URL
			h := start(t, Options{}, to)
			h.put("seg-1.m4s", "one")
			h.drain()
			if s := h.Stats()[0]; s.Failed != 1 || s.Sent != 0 || s.Retried > maxRedirects {
				t.Errorf("%+v", s)
			}
			err := newTestClient(t, to).Delete(t.Context(), "seg-1.m4s")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Who is refused behind a redirect is told why.
func TestHintBehindARedirect(t *testing.T) {
	second := newFar(t)
	second.answer = func(int, *http.Request) int { return 401 }
	first := newBalancer(t, 307, func(_ int, path string) string { return second.URL + path })
	log := &logText{}
	h := startLogged(t, slog.New(slog.NewTextHandler(log, nil)), Destination{URL: first.URL, KA: true, User: "me", Password: "pw"})
	h.Deleted("x")
	h.drain()
	eventually(t, "it is told", func() bool { return strings.Contains(log.String(), "push to that host itself") })
}
