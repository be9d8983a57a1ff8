package push

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
)

// protocols are servers over which the same must hold.
func protocols(t *testing.T, run func(t *testing.T, newFar func() (*far, Destination))) {
	t.Helper()
	for name, tls := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			run(t, func() (*far, Destination) {
				if !tls {
					f := newFar(t)
					to := f.to()
					return f, to
				}
				f := &far{}
				f.Server = httptest.NewUnstartedServer(f)
				f.EnableHTTP2 = true
				f.StartTLS()
				t.Cleanup(f.Close)
				to := f.to()
				to.CAFile = writePEM(t, "ca.pem", "CERTIFICATE", f.Certificate().Raw)
				return f, to
			})
		})
	}
}

// An upload that breaks off at the source breaks off at the far end: no last
// chunk, or a reset stream; and the connection's other requests go on.
func TestBreakingOff(t *testing.T) {
	protocols(t, func(t *testing.T, newFar func() (*far, Destination)) {
		f, to := newFar()
		h := start(t, Options{}, to)
		other := h.create("a/seg-1.m4s")
		h.write(other, "one ")
		eventually(t, "the other arrives", f.has("/live/a/seg-1.m4s", "one "))
		w := h.create("v/seg-1.m4s")
		h.write(w, "half")
		eventually(t, "the half arrives", f.has("/live/v/seg-1.m4s", "half"))
		w.Abort(errGone)
		eventually(t, "the request ends", func() bool { return f.requests("/live/v/seg-1.m4s")[0].over })
		if q := f.requests("/live/v/seg-1.m4s")[0]; q.err == nil {
			t.Error("the far end saw a clean end")
		}
		h.write(other, "two")
		h.close(other)
		h.drain()
		h.want(Stats{Sent: 1, Broken: 1})
		if n := len(f.requests("")); n != 2 || !f.has("/live/a/seg-1.m4s", "one two")() {
			t.Errorf("%d requests", n)
		}
	})
}

// A refusal that comes before the end of the body ends the request, though the
// file grows on, and the next one is sent.
func TestRefusalBeforeTheEnd(t *testing.T) {
	protocols(t, func(t *testing.T, newFar func() (*far, Destination)) {
		f, to := newFar()
		f.answer = func(n int, _ *http.Request) int {
			if n == 1 {
				return 401
			}
			return 0
		}
		f.before = func(w http.ResponseWriter, code int) {
			if code == 401 {
				_ = http.NewResponseController(w).EnableFullDuplex() // answers at once
			}
		}
		h := start(t, Options{}, to)
		w := h.create("seg-1.m4s")
		h.write(w, "half")
		h.want(Stats{Failed: 1})
		h.put("seg-2.m4s", "x")
		h.drain()
		h.want(Stats{Failed: 1, Sent: 1})
		h.close(w)
	})
}

// One who answers and goes on reading, or reads no more, ends the request, too.
func TestRefusalOnABareConnection(t *testing.T) {
	for name, reads := range map[string]bool{"reads on": true, "reads no more": false} {
		t.Run(name, func(t *testing.T) {
			let := make(chan struct{})
			url := rawServer(t, func(c net.Conn, r *textproto.Reader) {
				_, _ = r.ReadLine()
				_, _ = r.ReadMIMEHeader()
				_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
				if reads {
					_, _ = io.Copy(io.Discard, c)
				}
				<-let
			})
			h := start(t, Options{}, Destination{URL: url, KA: true})
			w := h.create("seg-1.m4s")
			h.write(w, strings.Repeat("x", 8<<20)) // more than the kernel takes in
			h.want(Stats{Failed: 1})
			close(let)
			h.close(w)
		})
	}
}

// A server that does not take Expect gets the file without.
func TestExpectationFailed(t *testing.T) {
	var asked []string
	f := newFar(t)
	f.answer = func(_ int, r *http.Request) int {
		asked = append(asked, r.Header.Get("Expect"))
		if r.Header.Get("Expect") != "" {
			return 417
		}
		return 0
	}
	c := newTestClient(t, f.to())
	big := strings.Repeat("x", expectFrom)
	for range 2 {
		if err := c.Put(t.Context(), "x", "", expectFrom, newReader(big)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(asked, ","); got != "100-continue,," {
		t.Errorf("asked %q", got)
	}
	if q := f.requests("")[2]; q.body != big {
		t.Errorf("%d bytes", len(q.body))
	}
	f.mu.Lock()
	f.answer = func(int, *http.Request) int { return 417 }
	f.mu.Unlock()
	var status *StatusError
	if err := c.Put(t.Context(), "x", "", 1, newReader("x")); !errors.As(err, &status) || status.Code != 417 {
		t.Error(err)
	}
}
