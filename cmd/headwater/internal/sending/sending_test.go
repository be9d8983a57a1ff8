package sending

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/headwater-origin/headwater/origin/push"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// far is a server that keeps what it gets.
type far struct {
	*httptest.Server
	status int // of every answer

	mu    sync.Mutex // guards the rest
	files map[string]string
	heads map[string]http.Header
	whole map[string]bool
}

func newFar(t *testing.T, status int) *far {
	t.Helper()
	f := &far{status: status, files: map[string]string{}, heads: map[string]http.Header{}, whole: map[string]bool{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + r.URL.Path
	buf := make([]byte, 1000)
	for {
		n, err := r.Body.Read(buf)
		f.mu.Lock()
		f.files[key] += string(buf[:n])
		f.heads[key] = r.Header
		f.whole[key] = errors.Is(err, io.EOF)
		f.mu.Unlock()
		if err != nil {
			break
		}
	}
	w.WriteHeader(f.status)
}

func (f *far) got(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files[key]
}

// awaitWhole waits for the end of a request's body.
func (f *far) awaitWhole(t *testing.T, key string) {
	t.Helper()
	whole := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.whole[key]
	}
	for end := time.Now().Add(patience); !whole(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has no end", key)
		}
	}
}

func (f *far) await(t *testing.T, key, want string) {
	t.Helper()
	for end := time.Now().Add(patience); f.got(key) != want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has %d bytes, not %d", key, len(f.got(key)), len(want))
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func aFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.m4s")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFile: to a directory's URL it goes under its own name, to any other under
// that, and to each server on its own.
func TestFile(t *testing.T) {
	a, b := newFar(t, 201), newFar(t, 200)
	text := strings.Repeat("headwater ", 30_000)
	err := Run(t.Context(), Options{Src: aFile(t, text), Log: quiet(), To: []push.Destination{
		{URL: a.URL + "/in/", KA: true}, {URL: b.URL + "/other.mp4?key=1", Post: true, KA: true},
	}})
	if err != nil || a.got("PUT /in/a.m4s") != text || b.got("POST /other.mp4") != text {
		t.Errorf("%v; %d and %d bytes of %d", err, len(a.got("PUT /in/a.m4s")), len(b.got("POST /other.mp4")), len(text))
	}
}

// TestWhatFails: the error names who has not got it; who has, has all of it.
func TestWhatFails(t *testing.T) {
	good, bad := newFar(t, 201), newFar(t, 403)
	for name, ka := range map[string]bool{"keep alive": true, "not": false} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), Options{Src: aFile(t, "text"), Log: quiet(), To: []push.Destination{
				{URL: good.URL + "/", KA: true}, {URL: bad.URL + "/", KA: ka},
			}})
			if err == nil || !strings.Contains(err.Error(), bad.URL) || strings.Contains(err.Error(), good.URL) {
				t.Error(err)
			}
		})
	}
	if got := good.got("PUT /a.m4s"); !strings.HasPrefix(got, "text") {
		t.Errorf("the other has %q", got)
	}
}

func TestBadSources(t *testing.T) {
	for name, c := range map[string]struct{ src, url, want string }{
		"nothing":           {"/no/such.file", "http://127.0.0.1:1/", "no such file"},
		"a device":          {"/dev/null", "http://127.0.0.1:1/", "no directory, no file and no named pipe"},
		"stdin has no name": {"-", "http://127.0.0.1:1/live/", "give the URL of the file"},
		"not a URL":         {"-", "ftp://127.0.0.1/x", "ftp"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), Options{Src: c.src, Log: quiet(), To: []push.Destination{{URL: c.url}}})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestStreams: standard input and a named pipe arrive while they are written, and
// their end is the end.
func TestStreams(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		src  string
		open func() (io.WriteCloser, error)
	}{
		"stdin": {"-", func() (io.WriteCloser, error) { return w, nil }},
		"fifo":  {fifo, func() (io.WriteCloser, error) { return os.OpenFile(fifo, os.O_WRONLY, 0) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t, 201)
			done := make(chan error, 1)
			go func() {
				done <- Run(t.Context(), Options{Src: c.src, Stdin: r, ContentType: "audio/mpeg", Log: quiet(), To: []push.Destination{{URL: f.URL + "/radio", KA: true}}})
			}()
			in, err := c.open()
			if err != nil {
				t.Fatal(err)
			}
			sent := ""
			for range 3 {
				sent += "some bytes "
				_, _ = io.WriteString(in, "some bytes ")
				f.await(t, "PUT /radio", sent)
			}
			in.Close()
			if err := <-done; err != nil || f.heads["PUT /radio"].Get("Content-Type") != "audio/mpeg" {
				t.Error(err, f.heads)
			}
		})
	}
}

// TestStopped: when the context ends, a stream under way ends, and broken off: it
// is not passed on as whole.
func TestStopped(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	t.Cleanup(func() { _ = w.Close() })
	f := newFar(t, 201)
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Src: "-", Stdin: r, Log: slog.New(slog.NewTextHandler(&log, nil)), To: []push.Destination{{URL: f.URL + "/radio.mp3", KA: true}}})
	}()
	_, _ = io.WriteString(w, "half")
	f.await(t, "PUT /radio.mp3", "half")
	cancel()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(log.String(), "broken=1") {
			t.Errorf("%v\n%s", err, &log)
		}
	case <-time.After(patience):
		t.Fatal("still running")
	}
}
