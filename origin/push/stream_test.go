package push

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/headwater-origin/headwater/segstore"
)

// feedInto runs SendReader over a pipe.
func (h *harness) feedInto(name string) (w *io.PipeWriter, done chan error) {
	r, w := io.Pipe()
	done = make(chan error, 1)
	go func() { done <- h.SendReader(h.t.Context(), name, "audio/mpeg", r) }()
	h.t.Cleanup(func() { w.Close() })
	return w, done
}

func TestSendReader(t *testing.T) {
	f, g := newFar(t), newFar(t)
	h := start(t, Options{}, f.to(), g.to())
	w, done := h.feedInto("radio.mp3")
	sent := ""
	for _, chunk := range []string{"one ", "two ", strings.Repeat("x", 3*pieceSize)} {
		_, _ = io.WriteString(w, chunk)
		sent += chunk
		eventually(t, "the chunk is at the first", f.has("/live/radio.mp3", sent))
		eventually(t, "the chunk is at the second", g.has("/live/radio.mp3", sent))
	}
	w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.drain()
	if q := f.requests("")[0]; q.err != nil || q.header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("%v %v", q.err, q.header)
	}
	h.want(Stats{Sent: 1})
}

func TestSendReaderThatFails(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	w, done := h.feedInto("radio.mp3")
	_, _ = io.WriteString(w, "half")
	eventually(t, "it arrives", f.has("/live/radio.mp3", "half"))
	w.CloseWithError(errGone)
	if err := <-done; !errors.Is(err, errGone) {
		t.Error(err)
	}
	eventually(t, "the request ends", func() bool { return f.requests("")[0].over })
	if f.requests("")[0].err == nil {
		t.Error("a clean end")
	}
	h.want(Stats{Broken: 1})
}

// While all of a stream is there a new attempt has all of it; later it goes on
// at the live edge.
func TestStreamAfterALostConnection(t *testing.T) {
	for name, c := range map[string]struct {
		before int
		gaps   int64
	}{"from its beginning": {10, 0}, "at the live edge": {10 * pieceSize, 1}} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			h := start(t, Options{MaxHeld: 16 * 2 * pieceSize}, f.to())
			w, done := h.feedInto("radio.ts")
			before := strings.Repeat("a", c.before)
			for off := 0; off < len(before); off += pieceSize {
				_, _ = io.WriteString(w, before[off:min(len(before), off+pieceSize)])
				eventually(t, "it arrives", f.has("/live/radio.ts", before[:min(len(before), off+pieceSize)]))
			}
			f.CloseClientConnections()
			eventually(t, "it begins anew", func() bool { return h.Stats()[0].Retried == 1 && h.Stats()[0].InFlight == 1 })
			if c.gaps > 0 {
				eventually(t, "the gap is counted", func() bool { return h.Stats()[0].Gaps == c.gaps })
				before = ""
			}
			_, _ = io.WriteString(w, "after")
			eventually(t, "it goes on", f.has("/live/radio.ts", before+"after"))
			w.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			h.drain()
			h.want(Stats{Sent: 1, Retried: 1, Gaps: c.gaps})
		})
	}
}

// One that is too slow loses bytes, unless it blocks.
func TestSlowReaderOfAStream(t *testing.T) {
	for name, block := range map[string]bool{"lags": false, "blocks": true} {
		t.Run(name, func(t *testing.T) {
			s := &stream{limit: 2 * pieceSize, changed: make(chan struct{})}
			var gaps atomic.Int64
			c := &cursor{s: s, block: block, onGap: func() { gaps.Add(1) }}
			s.cursors = []*cursor{c}
			o, _ := c.open()
			all := bytes.Repeat([]byte("0123456789abcdef"), 10*pieceSize/16)
			ctx, cancel := context.WithCancel(t.Context())
			wrote := make(chan error, 1)
			go func() { wrote <- s.write(ctx, all); s.end(io.EOF) }()
			if !block {
				if err := <-wrote; err != nil {
					t.Fatal(err)
				}
				if _, err := o.next(ctx); !errors.Is(err, errLagged) {
					t.Errorf("%v", err)
				}
				o, _ = c.open()
				if _, err := o.next(ctx); !errors.Is(err, io.EOF) || gaps.Load() != 1 {
					t.Errorf("%v, %d gaps", err, gaps.Load())
				}
				if held := c.held(); held > 3*pieceSize {
					t.Errorf("%d bytes held", held)
				}
				cancel()
				return
			}
			var got []byte
			for {
				p, err := o.next(ctx)
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
					break
				}
				got = append(got, p...)
			}
			if !bytes.Equal(got, all) || <-wrote != nil {
				t.Errorf("%d bytes of %d", len(got), len(all))
			}
			cancel()
		})
	}
}

func TestBlockedWriteOfAStreamEnds(t *testing.T) {
	s := &stream{limit: 2 * pieceSize, changed: make(chan struct{})}
	c := &cursor{s: s, block: true}
	s.cursors = []*cursor{c}
	ctx, cancel := context.WithCancel(t.Context())
	wrote := make(chan error, 1)
	go func() { wrote <- s.write(ctx, make([]byte, 4*pieceSize)) }()
	eventually(t, "it is full", func() bool { return c.held() == 2*pieceSize })
	cancel()
	if err := <-wrote; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	go func() { wrote <- s.write(t.Context(), make([]byte, 4*pieceSize)) }()
	c.done() // given up: nobody is waited for
	if err := <-wrote; !errors.Is(err, errUnwanted) {
		t.Error(err)
	}
}

func TestSendFile(t *testing.T) {
	f := newFar(t)
	f.answer = func(n int, _ *http.Request) int { return 503 * (n % 2) }
	h := start(t, Options{}, f.to())
	path := filepath.Join(t.TempDir(), "x")
	big := strings.Repeat("0123456789", expectFrom/8)
	if err := os.WriteFile(path, []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	h.SendFile("big.mp4", path)
	h.drain()
	if q := f.requests("")[1]; q.body != big || q.length != int64(len(big)) {
		t.Errorf("%d bytes, length %d", len(q.body), q.length)
	}
	h.SendFile("none.mp4", path+"-none")
	h.SendFile("dir.mp4", filepath.Dir(path))
	h.drain()
	h.want(Stats{Sent: 1, Retried: 1, Broken: 2})
}

func TestFeed(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := FeedFile(t.Context(), h.store, "a.txt", path); err != nil {
		t.Error(err)
	}
	if err := FeedReader(t.Context(), h.store, "b.txt", newReader("from a reader")); err != nil {
		t.Error(err)
	}
	h.drain()
	if !f.has("/live/a.txt", "from a file")() || !f.has("/live/b.txt", "from a reader")() {
		t.Errorf("%+v", f.requests(""))
	}
	if err := FeedReader(t.Context(), h.store, "c.txt", &failing{}); !errors.Is(err, errGone) {
		t.Error(err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"no file":     FeedFile(t.Context(), h.store, "d.txt", path+"-none"),
		"a directory": FeedFile(t.Context(), h.store, "d.txt", filepath.Dir(path)),
		"a bad name":  FeedFile(t.Context(), h.store, "../d.txt", path),
		"ctx is done": FeedFile(done, h.store, "d.txt", path),
	} {
		if err == nil {
			t.Error(what)
		}
	}
}

// What a patch made is told once it is complete, and may lie on disk.
func TestCompleteFiles(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{}, f.to())
	for name, dir := range map[string]string{"memory.txt": "", "disk.txt": t.TempDir()} {
		other, err := segstore.Open(segstore.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		body := strings.Repeat(name, pieceSize/4)
		if err := FeedReader(t.Context(), other, name, newReader(body)); err != nil {
			t.Fatal(err)
		}
		file, err := other.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		h.Created(file)
		h.drain()
		if q := f.requests("/live/" + name); len(q) != 1 || q[0].body != body || q[0].length != int64(len(body)) {
			t.Errorf("%s: %d requests", name, len(q))
		}
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
