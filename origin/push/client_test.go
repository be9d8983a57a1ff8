package push

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newReader hides all but Read.
func newReader(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

func newTestClient(t *testing.T, d Destination) *Client {
	t.Helper()
	c, err := NewClient(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequestHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		to   Destination
		want map[string]string // of the header, method and path
	}{
		"defaults": {Destination{}, map[string]string{
			"method": "PUT", "path": "/in/v/seg-1.m4s", "User-Agent": "Headwater", "Content-Type": "video/iso.segment",
			"Authorization": "", "DASH-IF-Ingest": "1.1", "Expect": "",
		}},
		"post":     {Destination{Post: true}, map[string]string{"method": "POST"}},
		"basic":    {Destination{User: "me", Password: "pw"}, map[string]string{"Authorization": "Basic bWU6cHc="}},
		"bearer":   {Destination{Bearer: "t0ken"}, map[string]string{"Authorization": "Bearer t0ken"}},
		"agent":    {Destination{UserAgent: "enc/1"}, map[string]string{"User-Agent": "enc/1"}},
		"hdrs":     {Destination{Hdrs: [][2]string{{"x-a", "1"}, {"user-agent", "mine"}, {"Host", "cdn.example"}}}, map[string]string{"X-A": "1", "User-Agent": "mine", "Host": "cdn.example"}},
		"url user": {Destination{URL: "http://me:pw@HOST/in"}, map[string]string{"Authorization": "Basic bWU6cHc="}},
		"query":    {Destination{URL: "http://HOST/in/?token=a%20b"}, map[string]string{"query": "token=a%20b", "path": "/in/v/seg-1.m4s"}},
		"exact":    {Destination{URL: "http://HOST/radio.mp3", Exact: true}, map[string]string{"path": "/radio.mp3"}},
		"root":     {Destination{URL: "http://HOST"}, map[string]string{"path": "/v/seg-1.m4s"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			if c.to.URL == "" {
				c.to.URL = "http://HOST/in"
			}
			c.to.URL = strings.Replace(c.to.URL, "HOST", f.Listener.Addr().String(), 1)
			client := newTestClient(t, c.to)
			if err := client.Put(t.Context(), "v/seg-1.m4s", "", -1, newReader("x")); err != nil {
				t.Fatal(err)
			}
			q := f.requests("")[0]
			got := map[string]string{"method": q.method, "path": q.path, "query": q.query}
			for k, want := range c.want {
				v, ok := got[k]
				if !ok {
					v = q.header.Get(k)
				}
				if v != want {
					t.Errorf("%s: %q, want %q", k, v, want)
				}
			}
		})
	}
}

func TestDestinationErrors(t *testing.T) {
	ok := Destination{URL: "https://h/x"}
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Destination){
		`"ftp://h/" is not a URL such as http://host:8080/live`:             func(d *Destination) { d.URL = "ftp://h/" },
		`"live" is not a URL such as http://host:8080/live`:                 func(d *Destination) { d.URL = "live" },
		`"http:" is not a URL such as http://host:8080/live`:                func(d *Destination) { d.URL = "http://me:secret@?key=secret" },
		"a password is given without a user":                                func(d *Destination) { d.Password = "x" },
		"a bearer token cannot stand beside a user":                         func(d *Destination) { d.User, d.Bearer = "a", "b" },
		"the URL names a user already":                                      func(d *Destination) { d.URL, d.User = "http://a@h", "b" },
		`user "a:b": a colon cannot be sent`:                                func(d *Destination) { d.User = "a:b" },
		"the bearer token has a control character in it":                    func(d *Destination) { d.Bearer = "a\n" },
		`user agent "a\n" has a control character in it`:                    func(d *Destination) { d.UserAgent = "a\n" },
		"a certificate and its key stand together":                          func(d *Destination) { d.CertFile = "x" },
		"certificates are for https only":                                   func(d *Destination) { d.URL, d.CAFile = "http://h", "x" },
		"timeout, max behind and max streams cannot be negative":            func(d *Destination) { d.MaxBehind = -1 },
		`"a b" is not the name of a header`:                                 func(d *Destination) { d.Hdrs = [][2]string{{"a b", ""}} },
		`header A: "\x00" has a control character in it`:                    func(d *Destination) { d.Hdrs = [][2]string{{"A", "\x00"}} },
		"header content-length cannot be set: it says where a request ends": func(d *Destination) { d.Hdrs = [][2]string{{"content-length", "1"}} },
		"authorities: stat /nowhere: no such file or directory":             func(d *Destination) { d.CAFile = "/nowhere" },
		"authorities: " + empty + " holds no certificate in PEM":            func(d *Destination) { d.CAFile = empty },
		"client certificate: open /nowhere: no such file or directory":      func(d *Destination) { d.CertFile, d.KeyFile = "/nowhere", "/nowhere" },
	} {
		d := ok
		change(&d)
		_, err := NewClient(d)
		if err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
		if _, err := New([]Destination{d}, Options{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New: %v", err)
		}
	}
	if _, err := New(nil, Options{}); err == nil {
		t.Error("a push to nowhere")
	}
}

func TestPutErrors(t *testing.T) {
	for code, want := range map[int]string{
		201: "", 204: "",
		302: "sending x.txt: the server answered 302 Found",
		404: "sending x.txt: the server answered 404 Not Found",
	} {
		f := newFar(t)
		f.answer = func(int, *http.Request) int { return code }
		err := newTestClient(t, f.to()).Put(t.Context(), "x.txt", "", 1, newReader("x"))
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestPutOfAReaderThatFails(t *testing.T) {
	f := newFar(t)
	r := io.MultiReader(strings.NewReader("half"), &failing{})
	err := newTestClient(t, f.to()).Put(t.Context(), "x.txt", "", -1, r)
	var source *SourceError
	if !errors.As(err, &source) || !errors.Is(err, errGone) {
		t.Errorf("%v", err)
	}
	eventually(t, "the request breaks", func() bool { return len(f.requests("")) == 1 && f.requests("")[0].err != nil })
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errGone }

func TestPutEnds(t *testing.T) {
	f := newFar(t)
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newTestClient(t, f.to()).Put(ctx, "x.txt", "", -1, r) }()
	_, _ = io.WriteString(w, "half")
	eventually(t, "it arrives", f.has("/live/x.txt", "half"))
	cancel()
	w.CloseWithError(errGone) // a Read that blocks holds Put up
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A connection serves one request after the other.
func TestConnectionsAreUsedAgain(t *testing.T) {
	conns := map[string]bool{}
	f := newFar(t)
	f.answer = func(_ int, r *http.Request) int { conns[r.RemoteAddr] = true; return 0 }
	c := newTestClient(t, f.to())
	for range 5 {
		if err := c.Put(t.Context(), "x.txt", "", -1, newReader("x")); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(t.Context(), "x.txt"); err != nil {
			t.Fatal(err)
		}
	}
	if len(conns) != 1 {
		t.Errorf("%d connections", len(conns))
	}
}
