package relay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

// TestWhatFollowsAnEnd: which ends are the last.
func TestWhatFollowsAnEnd(t *testing.T) {
	failed := errors.New("broken")
	for name, c := range map[string]struct {
		opt    Options
		traits Traits
		end    error
		goesOn bool
	}{
		"a socket":              {Options{}, endless, io.EOF, true},
		"a socket that fails":   {Options{}, endless, failed, true},
		"standard input":        {Options{Reopen: true}, Traits{}, io.EOF, false},
		"a command":             {Options{}, Traits{Again: OnReopen, Retry: true}, io.EOF, false},
		"a command, reopen":     {Options{Reopen: true}, Traits{Again: OnReopen, Retry: true}, io.EOF, true},
		"a command that fails":  {Options{}, Traits{Again: OnReopen, Retry: true}, failed, true},
		"a file":                {Options{}, Traits{Again: OnJoin}, io.EOF, false},
		"a file in a loop":      {Options{Loop: true}, Traits{Again: OnJoin}, io.EOF, true},
		"a file that fails":     {Options{Loop: true}, Traits{Again: OnJoin}, failed, false},
		"a socket not opened":   {Options{}, endless, nil, true},
		"standard input, fails": {Options{}, Traits{}, failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := newScript(c.traits)
			if c.end == nil {
				in.fails = []error{failed, failed}
			}
			r := newTest(c.opt, in)
			over := start(t, r)
			l := read(t, join(t, r))
			w := in.conn(t)
			send(t, r, w, "K1\n")
			l.until("K1\n")
			if c.end != nil {
				_ = w.CloseWithError(c.end)
			} else {
				_ = w.Close()
			}
			if c.goesOn {
				w = in.conn(t)
				send(t, r, w, "K2\n")
				l.until("K1\nK2\n")
				return
			}
			err := <-over
			if errors.Is(c.end, io.EOF) {
				l.end(io.EOF)
				if err != nil {
					t.Error(err)
				}
			} else {
				l.end(c.end)
				if !errors.Is(err, c.end) {
					t.Error(err)
				}
			}
			if _, err := r.Join(t.Context()); !errors.Is(err, ErrOver) {
				t.Errorf("Join: %v", err)
			}
		})
	}
}

// TestReopenForTheNext: a file ends for those who are there, and begins for who
// comes later.
func TestReopenForTheNext(t *testing.T) {
	in := newScript(Traits{Again: OnJoin})
	r := newTest(Options{Reopen: true, Hold: true}, in)
	start(t, r)
	for range 3 {
		l := read(t, join(t, r))
		w := in.conn(t)
		send(t, r, w, "K1\n")
		_ = w.Close()
		if got := l.end(io.EOF); got != "K1\n" {
			t.Errorf("got %q", got)
		}
	}
}

// TestHoldOpensForTheFirst: nothing is read before.
func TestHoldOpensForTheFirst(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{Hold: true}, in)
	start(t, r)
	select {
	case <-in.opened:
		t.Error("opened without a listener")
	case <-time.After(20 * time.Millisecond): // it may have been too early to see it, never wrong
	}
	l := read(t, join(t, r))
	w := in.conn(t)
	send(t, r, w, "K1\n")
	l.until("K1\n")
}

// TestFeed: uploads come one at a time; what breaks off is not the end.
func TestFeed(t *testing.T) {
	r := newTest(Options{}, nil)
	start(t, r)
	l := read(t, join(t, r))
	pr, pw := io.Pipe()
	fed := make(chan error, 1)
	go func() { fed <- r.Feed(t.Context(), pr, "audio/aac") }()
	send(t, r, pw, "K1\n")
	if err := r.Feed(t.Context(), strings.NewReader("K9\n"), ""); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	_ = pw.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-fed; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := r.Feed(t.Context(), strings.NewReader("not clean\nK2\n"), ""); err != nil {
		t.Error(err)
	}
	l.until("K1\nK2\n")
	if got := r.Info().ContentType; got != "audio/aac" {
		t.Errorf("the type is %q", got)
	}
	other := newTest(Options{}, newScript(endless))
	if err := other.Feed(t.Context(), strings.NewReader(""), ""); !errors.Is(err, ErrNotFed) {
		t.Error(err)
	}
}

// TestBlockIO: the input waits for the slowest, but not for ever.
func TestBlockIO(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{BlockIO: true, MaxAsyncBuf: 1000, BlockTimeout: 200 * time.Millisecond}, in)
	start(t, r)
	slow, quick := join(t, r), read(t, join(t, r))
	w := in.conn(t)
	line := "K" + strings.Repeat("x", 998) + "\n"
	go func() {
		for range 20 {
			_, _ = io.WriteString(w, line)
		}
	}()
	quick.until(strings.Repeat(line, 20))
	if r.Cut() != 1 {
		t.Errorf("%d cut, want who never took anything", r.Cut())
	}
	_ = slow
}

// TestPacer: frames go when their time has come, and a stall is not caught up.
func TestPacer(t *testing.T) {
	now := time.Unix(1000, 0)
	var p pacer
	p.begin(0)
	at := func(ms int) framing.Frame { return framing.Frame{Time: time.Duration(ms) * time.Millisecond} }
	for i, c := range []struct{ time, passed, want int }{
		{0, 0, 0}, {40, 0, 40}, {80, 50, 30}, {100, 50, 0}, {100_000, 0, 0}, {100_040, 0, 40}, {100_080, 5000, 0}, {100_120, 0, 40},
	} {
		now = now.Add(time.Duration(c.passed) * time.Millisecond)
		if got := p.until(at(c.time), now); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("step %d: wait %v, want %d ms", i, got, c.want)
		}
	}
	p.begin(0) // the next connection goes on where this one ends
	if got := p.until(at(0), now); got != 80*time.Millisecond {
		t.Errorf("after the end: %v", got)
	}
	p = pacer{}
	p.begin(8000) // a byte a millisecond
	raw := framing.Frame{Data: make([]byte, 100), Time: framing.NoTime}
	if a, b := p.until(raw, now), p.until(raw, now); a != 0 || b != 100*time.Millisecond {
		t.Errorf("by rate: %v, %v", a, b)
	}
}

// TestPacedFile: a file takes as long as it lasts, by the order of events: the
// second listener comes before the end and gets the rest.
func TestPacedFile(t *testing.T) {
	in := newScript(Traits{Paced: true})
	r := newTest(Options{}, in)
	start(t, r)
	w := in.conn(t)
	first := read(t, join(t, r))
	began := time.Now()
	go func() {
		_, _ = io.WriteString(w, "K@0\nK@100\nK@200\nK@300\n")
		_ = w.Close()
	}()
	first.until("K@0\n")
	second := read(t, join(t, r))
	if got := first.end(io.EOF); got != "K@0\nK@100\nK@200\nK@300\n" || time.Since(began) < 290*time.Millisecond {
		t.Errorf("%q after %v", got, time.Since(began))
	}
	all := "K@0\nK@100\nK@200\nK@300\n"
	if got := second.end(io.EOF); !strings.HasSuffix(all, got) || got == "" {
		t.Errorf("the second got %q", got)
	}
}

func TestICY(t *testing.T) {
	title := ""
	y := NewICY(4, func() string { return title })
	insert := func(parts ...string) string {
		var src [][]byte
		for _, p := range parts {
			src = append(src, []byte(p))
		}
		return string(bytes.Join(y.Insert(nil, src), nil))
	}
	if got := insert("ab", "cdef"); got != "abcd\x00ef" {
		t.Errorf("%q", got)
	}
	title = "It's"
	if got := insert("gh"); got != "gh\x02StreamTitle='It\u2019s';"+strings.Repeat("\x00", 32-len("StreamTitle='It\u2019s';")) {
		t.Errorf("%q", got)
	}
	if got := insert("ijklm"); got != "ijkl\x00m" {
		t.Errorf("%q", got)
	}
	title = strings.Repeat("é", 5000)
	if got := insert("nop"); len(got) != 3+1+mostICY || got[3] != 255 {
		t.Errorf("%d bytes", len(got))
	}
	if NewICY(0, nil).Interval() != DefaultICYInterval {
		t.Error("no default")
	}
}

func TestTitles(t *testing.T) {
	utf16 := "\x01\xff\xfeA\x00b\x00"
	for name, c := range map[string]struct{ tag, want string }{
		"latin":         {"TIT2\x00\x00\x00\x03\x00\x00\x00H\xe9", "Hé"},
		"utf-8":         {"TIT2\x00\x00\x00\x03\x00\x00\x03Hi", "Hi"},
		"utf-16":        {"TIT2\x00\x00\x00\x07\x00\x00" + utf16, "Ab"},
		"and performer": {"TPE1\x00\x00\x00\x03\x00\x00\x00Me" + "TIT2\x00\x00\x00\x03\x00\x00\x00Hi", "Me - Hi"},
		"none":          {"TALB\x00\x00\x00\x03\x00\x00\x00Hi", ""},
		"too long":      {"TIT2\x00\x00\x00\x7f\x00\x00\x00Hi", ""},
	} {
		tag := "ID3\x03\x00\x00\x00\x00\x00" + string(rune(len(c.tag))) + c.tag
		if got := id3Title([]byte(tag)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := cleanTitle(" a\nb\x00\xff "); got != "ab" {
		t.Errorf("%q", got)
	}
}
