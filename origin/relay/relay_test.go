package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/origin/framing"
)

// Wherever a listener joins, it begins at a clean frame with its header.
func TestWhereAListenerBegins(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"first of all", "", "H1\nK1\nD2\n", "H1\nK1\nD2\n"},
		{"in a group", "H1\nK1\nD2\n", "D3\n", "H1\nK1\nD2\nD3\n"},
		{"in a later group", "H1\nK1\nD2\nH2\nK3\nD4\n", "D5\n", "H2\nK3\nD4\nD5\n"},
		{"before the first clean frame", "D1\nD2\n", "D3\nH1\nK4\nD5\n", "H1\nK4\nD5\n"},
		{"without headers there is no past", "R1\nR2\n", "R3\nR4\n", "R3\nR4\n"},
		{"not at what is not clean", "R1\nD2\n", "D3\nR4\n", "R4\n"},
		{"clean without header, no header yet", "R1\n", "D2\nK3\n", "K3\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newScript(endless)
			r := newTest(Options{}, in)
			start(t, r)
			w := in.conn(t)
			if tt.before != "" {
				send(t, r, w, tt.before)
			}
			l := join(t, r)
			send(t, r, w, tt.after)
			read(t, l).until(tt.want)
		})
	}
}

func TestNobodyGetsHalfAFrame(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{}, in)
	start(t, r)
	w := in.conn(t)
	send(t, r, w, "R1\n")
	if _, err := io.WriteString(w, "R2, ha"); err != nil { // no newline: not whole
		t.Fatal(err)
	}
	l := join(t, r)
	if l.Behind() != 0 {
		t.Errorf("%d bytes wait for a listener that just joined", l.Behind())
	}
	if _, err := io.WriteString(w, "lf\nR3\n"); err != nil {
		t.Fatal(err)
	}
	read(t, l).until("R2, half\nR3\n")
}

// A backlog beyond its bound is no place to begin, but a clean frame of any size
// is.
func TestBacklogIsBounded(t *testing.T) {
	row := newRow(DefaultMaxAsyncBuf)
	clean := framing.Frame{Data: make([]byte, mostBacklog+5), Clean: true, Header: []byte("h")}
	row.publish(1, []framing.Frame{clean})
	if v := row.now.Load(); v.join() != 0 {
		t.Error("a clean frame is no place to begin because it is large")
	}
	piece := framing.Frame{Data: make([]byte, 1<<16)}
	for range mostBacklog >> 16 {
		row.publish(1, []framing.Frame{piece})
	}
	if v := row.now.Load(); v.join() != 0 {
		t.Error("a backlog of its full size is not kept")
	}
	row.publish(1, []framing.Frame{piece})
	if v := row.now.Load(); v.join() != v.after() {
		t.Error("a backlog is kept beyond its bound")
	}
	for range 1000 {
		row.publish(1, []framing.Frame{piece})
	}
	v := row.now.Load()
	held := v.size - v.entries[0].start
	if most := int64(mostBacklog) + v.allowed + 2<<16; held > most {
		t.Errorf("%d bytes are held, want at most %d", held, most)
	}
}

func TestEntriesAreBounded(t *testing.T) {
	row := newRow(DefaultMaxAsyncBuf)
	for range 3 * mostEntries {
		row.publish(1, []framing.Frame{{Data: []byte("x"), Clean: true}})
	}
	if n := int64(len(row.now.Load().entries)); n > row.maxCount {
		t.Errorf("%d entries are held, want at most %d", n, row.maxCount)
	}
	if c := cap(row.now.Load().entries); int64(c) > 4*row.maxCount {
		t.Errorf("the slice of entries has grown to %d", c)
	}
}

// Slices that were handed out stay as they are while the row goes on.
func TestBytesNeverChange(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{MaxAsyncBuf: 1 << 20}, in)
	start(t, r)
	w := in.conn(t)
	l := join(t, r)
	send(t, r, w, "R first\n")
	got, err := l.Next(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		send(t, r, w, "R "+strings.Repeat("x", 1000)+"\n")
	}
	if text := bytes.Join(got, nil); string(text) != "R first\n" {
		t.Errorf("the bytes have become %q", text)
	}
}

func TestSlowListenerIsCutAlone(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{MaxAsyncBuf: 1000}, in)
	start(t, r)
	w := in.conn(t)
	slow, quick := read(t, join(t, r)), read(t, join(t, r))
	send(t, r, w, "R begin\n")
	slow.until("R begin\n")
	want := "R begin\n"
	for range 20 {
		line := "R " + strings.Repeat("x", 97) + "\n" // 100 bytes
		send(t, r, w, line)
		want += line
		quick.until(want)
	}
	if err := slow.next(); !errors.Is(err, ErrSlow) {
		t.Fatalf("the slow listener got %v, want ErrSlow", err)
	}
	if err := slow.next(); !errors.Is(err, ErrSlow) {
		t.Errorf("and then %v", err)
	}
	if r.Cut() != 1 || r.Listeners() != 1 {
		t.Errorf("%d cut, %d there; want 1 and 1", r.Cut(), r.Listeners())
	}
	send(t, r, w, "R end\n")
	quick.until(want + "R end\n")
}

// At its bound a listener is not cut yet; what was published last does not
// count.
func TestLagAtItsBound(t *testing.T) {
	line := framing.Frame{Data: []byte(strings.Repeat("x", 99) + "\n"), Clean: true}
	for _, tt := range []struct {
		frames int
		want   error
	}{{11, nil}, {12, ErrSlow}} {
		r := newTest(Options{MaxAsyncBuf: 1000}, nil)
		l := join(t, r)
		r.row.publish(1, []framing.Frame{line})
		if _, err := l.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for range tt.frames {
			r.row.publish(1, []framing.Frame{line})
		}
		if _, err := l.Next(t.Context(), nil); !errors.Is(err, tt.want) {
			t.Errorf("%d frames behind: %v, want %v", tt.frames, err, tt.want)
		}
	}
}

// Two frames larger than MaxAsyncBuf cut nobody, and a listener who joins with a
// long backlog may take it.
func TestLargeFramesAndBacklogs(t *testing.T) {
	r := newTest(Options{MaxAsyncBuf: 1000}, nil)
	large := framing.Frame{Data: make([]byte, 300_000), Clean: true, Header: []byte("h")}
	l := join(t, r)
	r.row.publish(1, []framing.Frame{large})
	if _, err := l.Next(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r.row.publish(1, []framing.Frame{large})
	r.row.publish(1, []framing.Frame{large})
	if _, err := l.Next(t.Context(), nil); err != nil {
		t.Errorf("two frames behind: %v", err)
	}
	small := framing.Frame{Data: make([]byte, 1000)}
	for range 1500 {
		r.row.publish(1, []framing.Frame{small})
	}
	late, taken, want := join(t, r), int64(0), int64(300_001+1_500_000)
	for taken < want {
		slices, err := late.Next(t.Context(), nil)
		if err != nil {
			t.Fatalf("in the backlog, after %d bytes: %v", taken, err)
		}
		r.row.publish(1, []framing.Frame{small})
		for _, s := range slices {
			taken += int64(len(s))
		}
	}
}

// A listener that comes for its first bytes late has missed nothing.
func TestFirstNextLate(t *testing.T) {
	r := newTest(Options{MaxAsyncBuf: 1000}, nil)
	key := func(s string) framing.Frame {
		return framing.Frame{Data: []byte(s), Clean: true, Header: []byte("H ")}
	}
	r.row.publish(1, []framing.Frame{key("old")})
	l := join(t, r)
	for range 100 {
		r.row.publish(1, []framing.Frame{{Data: make([]byte, 100)}})
	}
	r.row.publish(1, []framing.Frame{key("new")})
	r.row.publish(1, []framing.Frame{{Data: []byte(" more")}})
	read(t, l).until("H new more")

	l = join(t, r)
	for range 100 {
		r.row.publish(1, []framing.Frame{{Data: make([]byte, 100)}})
	}
	r.row.end(nil, true)
	if err := read(t, l).l.err; err != nil {
		t.Fatal(err)
	}
	read(t, l).end(io.EOF) // and does not wait for ever
}

func TestNextEnds(t *testing.T) {
	r := newTest(Options{}, nil)
	l := join(t, r)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("viewer left")
	cancel(why)
	if _, err := l.Next(ctx, nil); !errors.Is(err, why) {
		t.Errorf("Next of a done context: %v", err)
	}
	result := make(chan error)
	go func() {
		_, err := l.Next(t.Context(), nil)
		result <- err
	}()
	l.Close()
	l.Close()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("Next of a closed listener: %v", err)
	}
	if r.Listeners() != 0 || r.Cut() != 0 {
		t.Errorf("%d listeners, %d cut; want none", r.Listeners(), r.Cut())
	}
	if _, err := r.Join(ctx); !errors.Is(err, why) {
		t.Errorf("Join with a done context: %v", err)
	}
}

func TestBytesAreCounted(t *testing.T) {
	in := newScript(endless)
	r := newTest(Options{}, in)
	start(t, r)
	w := in.conn(t)
	a, b := join(t, r), join(t, r)
	send(t, r, w, "H\nK12345\n")
	read(t, a).until("H\nK12345\n")
	read(t, b).until("H\nK12345\n")
	a.Close()
	b.Close()
	if r.BytesIn() != 9 || r.BytesOut() != 18 {
		t.Errorf("%d bytes in, %d out; want 9 and 18", r.BytesIn(), r.BytesOut())
	}
}
