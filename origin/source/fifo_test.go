package source

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFIFO: a pipe is made, a reader gets uploads one after the other as one
// stream, and the end when no more come.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	o, _ := open(t, Options{FIFO: path})
	info, err := os.Stat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 || info.Mode().Perm()&0o7 != 0 {
		t.Fatalf("%v %v", info, err)
	}
	r := reader(t, path)
	k := take(t, o, upload("a.ts"))
	k.write("one ")
	r.until("one ") // while it is being uploaded
	wantNil(t, k.ends(nil))
	wantNil(t, o.Take(t.Context(), upload("b.ts"), strings.NewReader("two")))
	r.until("one two")
	if !r.open() {
		t.Error("the pipe is closed at once")
	}
	if got := r.end(); got != "one two" {
		t.Errorf("got %q", got)
	}
}

// TestFIFOLinger: how long a pipe stays open after an upload.
func TestFIFOLinger(t *testing.T) {
	f := &fifo{opt: &Options{times: defaultTimes()}}
	for _, c := range []struct {
		name       string
		took, want time.Duration
	}{
		{"live.ts", time.Millisecond, 2 * time.Second},
		{"live.ts", 4 * time.Second, 8 * time.Second},
		{"live.ts", time.Hour, 30 * time.Second},
		{"seg-12.m4s", time.Millisecond, 10 * time.Second},
		{"init.mp4", time.Millisecond, 10 * time.Second},
		{"seg-12.m4s", 6 * time.Second, 12 * time.Second},
	} {
		if got := f.linger(Upload{Name: c.name}, c.took); got != c.want {
			t.Errorf("%s in %v: %v, want %v", c.name, c.took, got, c.want)
		}
	}
}

// long is spans in which a pipe does not close by itself.
func long() times {
	d := defaultTimes()
	d.linger, d.lingerSegment, d.lingerAtLongest = time.Hour, time.Hour, time.Hour
	return d
}

// TestFIFOAbort: an upload that breaks off closes the pipe at once, though it
// lingers after others.
func TestFIFOAbort(t *testing.T) {
	path := aPipe(t)
	o, log := open(t, Options{FIFO: path, times: long()})
	r := reader(t, path)
	wantNil(t, o.Take(t.Context(), upload("a"), strings.NewReader("whole ")))
	k := take(t, o, upload("b"))
	k.write("half")
	r.until("whole half")
	wantBody(t, k.ends(errBody), errBody)
	if got := r.end(); got != "whole half" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(log.String(), "broke off") {
		t.Errorf("the log does not tell:\n%s", log)
	}
}

// TestFIFOClose: Close closes what lingers.
func TestFIFOClose(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, times: long()})
	r := reader(t, path)
	wantNil(t, o.Take(t.Context(), upload("a"), strings.NewReader("x")))
	r.until("x")
	shut(t, o)
	r.end()
}

// TestFIFOWithoutReader: a reader is waited for, by time, or for as long as it
// takes; and an upload that breaks off meanwhile is waited for no more.
func TestFIFOWithoutReader(t *testing.T) {
	t.Run("bounded", func(t *testing.T) {
		o, _ := open(t, Options{FIFO: aPipe(t), Timeout: short})
		wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader("x")), "nobody has read")
	})
	t.Run("blockio", func(t *testing.T) {
		path := aPipe(t)
		o, _ := open(t, Options{FIFO: path, Timeout: short, BlockIO: true})
		k := take(t, o, upload("a"))
		select {
		case err := <-k.err:
			t.Fatalf("not waited for: %v", err)
		case <-time.After(3 * short):
		}
		r := reader(t, path)
		k.write("x")
		r.until("x")
		wantNil(t, k.ends(nil))
	})
	t.Run("sender gone", func(t *testing.T) {
		o, _ := open(t, Options{FIFO: aPipe(t), BlockIO: true})
		ctx, cancel := context.WithCancel(t.Context())
		k := takeWith(ctx, t, o, upload("a"))
		eventually(t, "begin", func() bool { return o.Stats().Active == 1 })
		cancel()
		wantBody(t, k.result(), context.Canceled)
	})
	t.Run("closed", func(t *testing.T) {
		o, _ := open(t, Options{FIFO: aPipe(t), BlockIO: true})
		k := take(t, o, upload("a"))
		eventually(t, "begin", func() bool { return o.Stats().Active == 1 })
		shut(t, o)
		wantBody(t, k.result(), ErrClosed)
	})
}

// TestFIFOReaderGoes: the upload fails in which the reader goes; the next one
// waits for another reader. If it goes between uploads none fails.
func TestFIFOReaderGoes(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, times: long()})
	r := reader(t, path)
	k := take(t, o, upload("a"))
	k.write("x")
	r.until("x")
	_ = r.file.Close()
	k.write("y")
	wantOutput(t, k.result(), "reader has gone")

	again := func(name string) *reading {
		k := take(t, o, upload(name))
		eventually(t, "begin", func() bool { return o.Stats().Active == 1 })
		r := reader(t, path)
		k.write(name)
		r.until(name)
		wantNil(t, k.ends(nil))
		return r
	}
	r = again("b")
	_ = r.file.Close()
	again("c")
}

// TestFIFOReaderIsReplaced: while nothing of an upload is taken, a reader may go
// and another come.
func TestFIFOReaderIsReplaced(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path})
	r := reader(t, path)
	k := take(t, o, upload("a"))
	eventually(t, "the pipe's being open", r.open) // no end any more
	_ = r.file.Close()
	k.write("x")
	r = reader(t, path)
	r.until("x")
	wantNil(t, k.ends(nil))
}

// TestFIFOIsTooSlow: a reader that reads nothing is cut, and the pipe with it.
func TestFIFOIsTooSlow(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, Timeout: short})
	r := reader(t, path)
	wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader(strings.Repeat("x", 1<<20))), "took nothing")
	if got := len(r.end()); got == 1<<20 {
		t.Error("all of it came")
	}
}

// TestSenderGoesWhileOutputBlocks: it is noticed though nothing is read.
func TestSenderGoesWhileOutputBlocks(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, BlockIO: true})
	r := reader(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	k := takeWith(ctx, t, o, upload("a"))
	k.write("first")
	r.until("first")
	go func() { _, _ = k.body.Write([]byte(strings.Repeat("x", 300_000))) }()
	eventually(t, "a full pipe", func() bool { return o.Stats().Bytes >= 64<<10 })
	cancel()
	wantBody(t, k.result(), context.Canceled)
	r.end()
}

// TestTurns: uploads of one output take turns in the order of their arrival, for a
// bounded time.
func TestTurns(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, times: long()})
	r := reader(t, path)
	var all []*taking
	for i, name := range []string{"a", "b", "c", "d"} {
		all = append(all, take(t, o, upload(name)))
		eventually(t, "arrival", func() bool {
			o.turns.mu.Lock()
			defer o.turns.mu.Unlock()
			q := o.turns.keys[""]
			return q != nil && len(q.waiting) == i
		})
	}
	_ = all[2].body.CloseWithError(errBody)
	want := ""
	for i, name := range []string{"a", "b", "c", "d"} {
		if i == 2 { // broke off before its turn, and takes it as the third
			wantBody(t, all[i].result(), errBody)
			continue
		}
		all[i].write(name)
		want += name
		r.until(want)
		wantNil(t, all[i].ends(nil))
	}
}

// TestTurnsAreNotLost: a turn that comes while its wait is given up goes on.
func TestTurnsAreNotLost(t *testing.T) {
	var s turns
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 3000 {
				if s.acquire(t.Context(), "x", time.Duration(1+i%50)*time.Microsecond) == nil {
					s.release("x")
				}
			}
		})
	}
	wg.Wait()
	if len(s.keys) != 0 {
		t.Error("a turn was lost")
	}
}

func TestBusy(t *testing.T) {
	path := aPipe(t)
	o, _ := open(t, Options{FIFO: path, Timeout: short, MaxOutputs: 2})
	r := reader(t, path)
	k := take(t, o, upload("a"))
	k.write("x")
	r.until("x")
	// The second waits for its turn, and the third finds no room.
	second := take(t, o, upload("b"))
	eventually(t, "arrival", func() bool { return o.Stats().Active == 2 })
	if err := take(t, o, upload("c")).result(); err != ErrBusy { //nolint:errorlint // it wraps nothing
		t.Errorf("too many: %v", err)
	}
	if err := second.result(); err != ErrBusy { //nolint:errorlint // it wraps nothing
		t.Errorf("no turn: %v", err)
	}
	wantNil(t, k.ends(nil))
	if got := o.Stats(); got.Refused != 2 || got.Taken != 1 || got.Active != 0 {
		t.Errorf("%+v", got)
	}
}
