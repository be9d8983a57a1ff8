package segstore

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// diary is an Observer that writes down what it is told, and the state that
// files are in by then.
type diary struct {
	t  *testing.T
	s  *Store     // what it calls, to find locks that are held; may be nil
	mu sync.Mutex // guards the rest
	// lines are like "+growing a" and "-a".
	lines []string
	files []*File
}

func (d *diary) note(line string, f *File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
	if f != nil {
		d.files = append(d.files, f)
	}
}

func (d *diary) Created(f *File) {
	if d.s != nil {
		_, _ = d.s.Lookup(f.Name())
	}
	d.note(fmt.Sprintf("+%s %s", f.View().State(), f.Name()), f)
}

func (d *diary) Deleted(name string) {
	if d.s != nil && d.s.seen(name) != nil {
		d.t.Errorf("the store knows %s when its deletion is told", name)
	}
	d.note("-"+name, nil)
}

func (d *diary) want(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		t.Fatalf("told %q, want %q", d.lines, want)
	}
}

func TestObserver(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		d := &diary{t: t}
		s := open(Options{MaxCacheSegs: -1, Observers: []Observer{d}})
		d.s = s
		w := start(t, s, seg(1))
		d.want(t, "+growing v/seg-1.m4s")
		end(t, w, "one", nil)
		put(t, s, seg(2), []byte("two")) // evicts seg 1: not told
		m := start(t, s, "live.mpd")
		d.want(t, "+growing v/seg-1.m4s", "+growing v/seg-2.m4s") // a manifest is told of when it is one
		m.Abort(errAborted)
		put(t, s, "live.mpd", []byte("<MPD/>"))
		d.want(t, "+growing v/seg-1.m4s", "+growing v/seg-2.m4s", "+complete live.mpd")
		put(t, s, seg(2), []byte("anew"))
		if err := s.Delete(seg(2)); err != nil {
			t.Fatal(err)
		}
		d.want(t, "+growing v/seg-1.m4s", "+growing v/seg-2.m4s", "+complete live.mpd", "+growing v/seg-2.m4s", "-v/seg-2.m4s")
		if got, err := readAll(t.Context(), d.files[1], 0); err != nil || string(got) != "two" {
			t.Fatalf("the file that was told of has %q, %v", got, err)
		}
	})
}

// TestObserverOfManifestsInOrder: of two versions that meet, the one that was
// sent last is told of last, whichever is served first.
func TestObserverOfManifestsInOrder(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		d := &diary{t: t}
		s := open(Options{Observers: []Observer{d}})
		older, newer := Arrive(), Arrive()
		first, err := s.Create("live.mpd", Head{Length: -1, Arrival: newer})
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.Create("live.mpd", Head{Length: -1, Arrival: older})
		if err != nil {
			t.Fatal(err)
		}
		end(t, first, "newer", nil)
		end(t, second, "older", nil)
		d.want(t, "+complete live.mpd")
		if got := d.files[0].View().Size(); got != 5 {
			t.Errorf("told of %d bytes", got)
		}
	})
}

func TestObserverIsNotToldOfWhatDidNotHappen(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		d := &diary{t: t}
		s := open(Options{Policy: FirstWins, Observers: []Observer{d}})
		put(t, s, seg(1), []byte("one"))
		if _, err := s.Create(seg(1), Head{Length: -1}); err == nil {
			t.Fatal("a second upload was accepted")
		}
		if _, err := s.Create("../x", Head{Length: -1}); err == nil {
			t.Fatal("a bad name was accepted")
		}
		if err := s.Delete("nothing"); err == nil {
			t.Fatal("deleted what is not there")
		}
		closeStore(t, s)
		d.want(t, "+growing v/seg-1.m4s")
	})
}

func TestObserverOfADirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "old.txt", "x")
	a, b := &diary{t: t}, &diary{t: t}
	all := []Observer{a, b}
	s, _ := openDirStore(t, Options{Dir: dir, Observers: all})
	all[0] = nil // the store has its own slice
	a.want(t)
	if err := s.Delete("old.txt"); err != nil {
		t.Fatal(err)
	}
	failDisk(s.disk, syscall.EIO)
	w := start(t, s, "new.txt")
	push(t, w, []byte("new"))
	_ = w.Close() // not saved, which is none of the observer's business
	if err := s.Delete("new.txt"); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*diary{a, b} {
		d.want(t, "-old.txt", "+growing new.txt", "-new.txt")
	}
}
