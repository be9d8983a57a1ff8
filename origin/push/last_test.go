package push

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"
)

// impatient gives up at the first failure after a file's end.
func impatient() times {
	t := testTimes()
	t.giveUp = time.Nanosecond
	return t
}

// A stream that goes on for hours outlives failures that are hours apart: how
// long it is worth trying is not counted from the first of them.
func TestStreamOutlivesFailures(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{times: impatient()}, f.to())
	w, done := h.feedInto("radio.mp3")
	sent := ""
	for i := range 4 {
		chunk := fmt.Sprintf("%d ", i)
		_, _ = io.WriteString(w, chunk)
		sent += chunk
		eventually(t, "it goes on", f.has("/live/radio.mp3", sent))
		f.CloseClientConnections()
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The same of a file of a store; and once it is whole, patience has an end.
func TestPatienceIsCountedFromTheEnd(t *testing.T) {
	f := newFar(t)
	h := start(t, Options{times: impatient()}, f.to())
	w := h.create("long.ts")
	h.write(w, "one ")
	for n := range 3 {
		eventually(t, "it is sent again", func() bool { return len(f.requests("")) > n })
		f.CloseClientConnections()
	}
	h.write(w, "two")
	eventually(t, "it goes on", f.has("/live/long.ts", "one two"))
	f.crash()
	eventually(t, "it fails again", func() bool { return h.Stats()[0].Retried > 5 })
	h.close(w)
	h.want(Stats{Failed: 1, Retried: h.Stats()[0].Retried})
}

func TestTries(t *testing.T) {
	begin := time.Now()
	growing := &job{src: growingSource{}}
	whole := &job{src: wholeSourceStub{}}
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	for name, c := range map[string]struct {
		j           *job
		bytes       int64
		began, now  int
		failed      int // after
		firstSecond int // after
	}{
		"whole":                   {whole, 0, 8, 9, 3, 1},
		"whole, took nothing":     {whole, 0, 1, 9, 3, 1},
		"whole, went well":        {whole, 1, 1, 9, 0, 9},
		"whole, broke soon":       {whole, 1, 8, 9, 3, 1},
		"growing":                 {growing, 0, 8, 9, 3, 9},
		"growing, had gone well":  {growing, 1, 1, 9, 0, 9},
		"growing, had broken off": {growing, 1, 8, 9, 3, 9},
	} {
		c.j.bytes = c.bytes
		try := tries{failed: 3, first: at(1)}
		try.note(c.j, at(c.began), at(c.now), 5*time.Second)
		if try.failed != c.failed || !try.first.Equal(at(c.firstSecond)) {
			t.Errorf("%s: %d failed since %s", name, try.failed, try.first.Sub(begin))
		}
	}
}

type growingSource struct{ source }

func (growingSource) grows() bool { return true }

type wholeSourceStub struct{ source }

func (wholeSourceStub) grows() bool { return false }

// endless has bytes for as long as somebody reads.
type endless struct{}

func (endless) Read(p []byte) (int, error) { runtime.Gosched(); return copy(p, "x"), nil }

// When every server has refused a stream nothing reads it to no end.
func TestStreamThatEverybodyRefuses(t *testing.T) {
	f, g := newFar(t), newFar(t)
	f.refuses, g.refuses = true, true
	h := start(t, Options{}, f.to(), g.to())
	err := h.SendReader(t.Context(), "radio.mp3", "", endless{})
	if !errors.Is(err, errUnwanted) {
		t.Error(err)
	}
	h.drain()
	h.want(Stats{Failed: 1})
}
