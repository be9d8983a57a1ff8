package source

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/origin/push"
)

// got is what a server had of a request.
type got struct {
	what string // method, path, type, length
	body string
	err  error
}

// far is a server that tells what came.
type far struct {
	*httptest.Server
	got   chan got
	bytes chan string // as they come
}

func newFar(t *testing.T, http2 bool) *far {
	f := &far{got: make(chan got, 100), bytes: make(chan string, 1000)}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := got{what: fmt.Sprintf("%s %s %s %d %s", r.Method, r.URL, r.Header.Get("Content-Type"), r.ContentLength, r.Proto)}
		buf := make([]byte, 32<<10)
		for g.err == nil {
			var n int
			n, g.err = r.Body.Read(buf)
			g.body += string(buf[:n])
			if n > 0 {
				select {
				case f.bytes <- string(buf[:n]):
				default: // nobody counts them
				}
			}
		}
		f.got <- g
		if strings.Contains(r.URL.Path, "refuse") {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	if http2 {
		f.Server.EnableHTTP2 = true
		f.Server.StartTLS()
	} else {
		f.Server.Start()
	}
	t.Cleanup(f.Server.Close)
	return f
}

// destination is the server as one to push to.
func (f *far) destination(t *testing.T) *push.Destination {
	d := &push.Destination{URL: f.URL}
	if f.TLS != nil {
		d.CAFile = t.TempDir() + "/ca.pem"
		wantNil(t, os.WriteFile(d.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw}), 0o600))
	}
	return d
}

// TestPush: a server gets the upload as it comes, under its name; what broke off
// breaks off there.
func TestPush(t *testing.T) {
	far := newFar(t, false)
	o, log := open(t, Options{Push: &push.Destination{URL: far.URL + "/in?k=v"}, MIME: "video/x", Ext: "m4s"})
	k := take(t, o, upload("live/a.ts"))
	k.write("one")
	if got := <-far.bytes; got != "one" {
		t.Errorf("got %q", got)
	}
	k.write("two")
	wantNil(t, k.ends(nil))
	if g := <-far.got; g.what != "PUT /in/live/a.m4s?k=v video/x -1 HTTP/1.1" || g.body != "onetwo" || !errors.Is(g.err, io.EOF) {
		t.Errorf("%+v", g)
	}

	wantNil(t, o.Take(t.Context(), Upload{Name: "b", Length: 3}, strings.NewReader("abc")))
	if g := <-far.got; g.what != "PUT /in/b.m4s?k=v video/x 3 HTTP/1.1" || g.body != "abc" {
		t.Errorf("%+v", g)
	}

	wantNil(t, o.Take(t.Context(), Upload{Name: "empty", Length: 0}, strings.NewReader("")))
	<-far.got
	if strings.Contains(log.String(), "k=v") {
		t.Errorf("the query is in the log:\n%s", log)
	}
}

// TestPushAbort: no reason whatever makes a body that broke off look whole.
func TestPushAbort(t *testing.T) {
	for name, cause := range map[string]error{
		"reset": errBody, "short": io.ErrUnexpectedEOF, "odd": fmt.Errorf("wrapped: %w", io.EOF),
	} {
		for proto, far := range map[string]*far{"HTTP/1.1": newFar(t, false), "HTTP/2.0": newFar(t, true)} {
			t.Run(name+" "+proto, func(t *testing.T) {
				o, _ := open(t, Options{Push: far.destination(t)})
				k := take(t, o, upload("a"))
				k.write("half")
				<-far.bytes
				wantBody(t, k.ends(cause), cause)
				if g := <-far.got; errors.Is(g.err, io.EOF) || g.body != "half" || !strings.HasSuffix(g.what, proto) {
					t.Errorf("the server took it for whole: %+v", g)
				}
			})
		}
	}
}

// TestPushFails: a refusal, early or late, and a server that is not there.
func TestPushFails(t *testing.T) {
	far := newFar(t, false)
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer early.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	wantNil(t, err)
	nobody := "http://" + l.Addr().String()
	_ = l.Close()
	for name, c := range map[string]struct{ url, want string }{
		"late":   {far.URL + "/refuse", "answered 403"},
		"early":  {early.URL, "answered 403"},
		"nobody": {nobody, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			o, _ := open(t, Options{Push: &push.Destination{URL: c.url}})
			k := take(t, o, upload("a"))
			go func() { // until nobody takes any more
				for range 10_000 {
					if _, err := k.body.Write([]byte("some bytes")); err != nil {
						return
					}
				}
				_ = k.body.Close()
			}()
			wantOutput(t, k.result(), c.want)
			_ = k.body.PipeReader.Close()
			if got := o.Stats(); got.Failed != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestPushIsTooSlow: a server that takes nothing is cut.
func TestPushIsTooSlow(t *testing.T) {
	stop := make(chan struct{})
	far := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer far.Close()
	defer close(stop)
	o, _ := open(t, Options{Push: &push.Destination{URL: far.URL}, Timeout: 3 * short})
	wantOutput(t, o.Take(t.Context(), upload("a"), io.LimitReader(zeros{}, 64<<20)), "no progress")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestPushClose: Close breaks requests off.
func TestPushClose(t *testing.T) {
	far := newFar(t, false)
	o, _ := open(t, Options{Push: &push.Destination{URL: far.URL}})
	k := take(t, o, upload("a"))
	k.write("half")
	<-far.bytes
	shut(t, o)
	wantBody(t, k.result(), ErrClosed)
	if g := <-far.got; errors.Is(g.err, io.EOF) {
		t.Errorf("the server took it for whole: %+v", g)
	}
}
