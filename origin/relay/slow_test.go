package relay

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

// TestSlowIsToldWhileWriting: who lies too far behind is cut although it does not
// come for more, as a viewer whose write is stuck.
func TestSlowIsToldWhileWriting(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{MaxAsyncBuf: 1000}, in)
	start(t, r)
	w := in.conn(t)
	slow, idle := join(t, r), join(t, r)
	told := make(chan struct{})
	slow.OnCut(func() { close(told) })
	send(t, r, w, "R begin\n")
	read(t, slow).until("R begin\n")
	for range 40 {
		send(t, r, w, "R "+strings.Repeat("x", 97)+"\n")
	}
	await(t, "to be told", told)
	if r.Cut() != 1 || r.Listeners() != 1 {
		t.Errorf("%d cut, %d there; who has had nothing yet misses nothing", r.Cut(), r.Listeners())
	}
	again := make(chan struct{})
	slow.OnCut(func() { close(again) })
	await(t, "to be told again", again) // it has been cut already
	if _, err := slow.Next(t.Context(), nil); !errors.Is(err, ErrSlow) {
		t.Error(err)
	}
	first := make(chan error)
	go func() { first <- read(t, idle).next() }()
	for {
		send(t, r, w, "R more\n")
		select {
		case err := <-first:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

// TestCloseIsNoCut: a viewer who goes is not told that it was slow.
func TestCloseIsNoCut(t *testing.T) {
	r := newTest(Options{}, nil)
	l := join(t, r)
	l.OnCut(func() { t.Error("cut") })
	l.Close()
	l.Close()
	if r.Cut() != 0 {
		t.Errorf("%d cut", r.Cut())
	}
}

// TestViewersComeAndGo: ten thousand of them leave nothing behind.
func TestViewersComeAndGo(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{}, in)
	start(t, r)
	w := in.conn(t)
	send(t, r, w, "H1\nK2\n")
	visit := func() {
		l, err := r.Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Next(t.Context(), nil); err != nil || len(got) != 2 {
			t.Fatalf("%d slices, %v", len(got), err)
		}
		l.Close()
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	visit()
	before := heap()
	for range 10_000 {
		visit()
	}
	if grown := heap() - before; grown > 1<<20 || r.Listeners() != 0 {
		t.Errorf("%d bytes more, %d listeners", grown, r.Listeners())
	}
	if got := r.BytesOut(); got != 10_001*6 {
		t.Errorf("%d bytes out", got)
	}
}

// TestStop: who listens when the relay is stopped does not take it for the end.
func TestStop(t *testing.T) {
	r := newTest(Options{}, newScript(endless))
	ended := start(t, r)
	l := read(t, join(t, r))
	r.input.(*script).conn(t)
	stop(t, r)
	l.end(ErrStopped)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestHalfAFrameBetweenUploads: of an upload that ends within a frame its whole
// ones are given out, and the next one's follow.
func TestHalfAFrameBetweenUploads(t *testing.T) {
	frame := append([]byte{0xff, 0xfb, 0x90, 0xc0}, make([]byte, 413)...)
	for name, c := range map[string]struct {
		tail string
		want int
	}{"half a frame": {string(frame[:100]), 6}, "a whole one": {string(frame), 7}} {
		r := New(Options{}, nil)
		start(t, r)
		l := join(t, r)
		text := strings.Repeat(string(frame), 3)
		for _, upload := range []string{text + c.tail, text} {
			if err := r.Feed(t.Context(), strings.NewReader(upload), ""); err != nil {
				t.Fatal(err)
			}
		}
		got, err := l.Next(t.Context(), nil)
		if all := slices.Concat(got...); err != nil || len(all) != c.want*len(frame) {
			t.Errorf("%s: %d bytes, want %d frames of %d", name, len(all), c.want, len(frame))
		}
	}
}

// TestLoopForNobody: a file that cannot be paced is not read over and over while
// nobody is there.
func TestLoopForNobody(t *testing.T) {
	in := newScript(Traits{Paced: true, Again: OnJoin})
	r := newTest(Options{Loop: true}, in)
	start(t, r)
	w := in.conn(t)
	send(t, r, w, "K1\n")
	_ = w.Close()
	eventually(t, "it has ended", func() bool { return r.row.now.Load().clean == noBacklog })
	select {
	case <-in.opened:
		t.Fatal("opened again for nobody")
	case <-time.After(50 * time.Millisecond): // it may have been too early to see it, never wrong
	}
	l := read(t, join(t, r))
	w = in.conn(t)
	send(t, r, w, "K2\n")
	l.until("K2\n")
}

// TestTitleOfTheNext: what has no title of its own has not that of what was
// before.
func TestTitleOfTheNext(t *testing.T) {
	r := New(Options{Title: "Radio"}, nil)
	start(t, r)
	tag := "ID3\x03\x00\x00\x00\x00\x00\x0eTIT2\x00\x00\x00\x04\x00\x00\x03One"
	for upload, want := range map[string]string{tag: "One", "no tag": "Radio"} {
		if err := r.Feed(t.Context(), strings.NewReader(upload), "audio/mpeg"); err != nil || r.Title() != want {
			t.Errorf("%v, title %q, want %q", err, r.Title(), want)
		}
	}
}

// TestAwaitInfo returns when the input has said what it is, or never will.
func TestAwaitInfo(t *testing.T) {
	r := New(Options{}, nil)
	start(t, r)
	got := make(chan Info)
	go func() { r.AwaitInfo(t.Context()); got <- r.Info() }()
	frame := append([]byte{0xff, 0xfb, 0x90, 0xc0}, make([]byte, 413)...)
	go func() { _ = r.Feed(t.Context(), strings.NewReader(strings.Repeat(string(frame), 3)), "") }()
	if info := <-got; info != (Info{ContentType: "audio/mpeg", Format: framing.MP3, BitRate: 128_000, SampleRate: 44100, Channels: 1}) {
		t.Errorf("%+v", info)
	}
	over := New(Options{}, newScript(endless))
	over.finish(io.EOF)
	over.AwaitInfo(t.Context())
}

// TestBitRateOfVariable: is the mean, not that of the first frame.
func TestBitRateOfVariable(t *testing.T) {
	r := New(Options{}, nil)
	start(t, r)
	low := append([]byte{0xff, 0xfb, 0x10, 0xc0}, make([]byte, 100)...)   // 32 kbit/s
	high := append([]byte{0xff, 0xfb, 0xe0, 0xc0}, make([]byte, 1040)...) // 320 kbit/s
	stream := string(low) + strings.Repeat(string(low)+string(high), 100)
	if err := r.Feed(t.Context(), strings.NewReader(stream), ""); err != nil {
		t.Fatal(err)
	}
	if got := r.Info().BitRate; got < 170_000 || got > 182_000 {
		t.Errorf("%d bit/s", got)
	}
}
