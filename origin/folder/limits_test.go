package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// existing makes segments that were written one second after the other, and
// what belongs to them.
func existing(n int) func(dir string) {
	return func(dir string) {
		began := time.Now().Add(-time.Hour)
		for i := range n + 1 {
			name := filepath.Join(dir, fmt.Sprintf("seg-%d.m4s", i))
			if i == 0 {
				name = filepath.Join(dir, "init.m4s")
			}
			at := began.Add(time.Duration(i) * time.Second)
			_ = os.WriteFile(name, segment(1), 0o644) // its absence fails the test
			_ = os.Chtimes(name, at, at)
		}
		_ = os.WriteFile(filepath.Join(dir, "a.mpd"), []byte("<MPD></MPD>"), 0o644)
	}
}

func TestNewestGoFirstWhenThereIsNoRoom(t *testing.T) {
	for most, want := range map[int]string{
		1: "init.m4s seg-6.m4s seg-5.m4s seg-4.m4s seg-3.m4s seg-2.m4s seg-1.m4s a.mpd",
		9: "a.mpd",
	} {
		sink := new(recorder)
		r := newRig(t, func(s *setup) {
			s.sink = sink
			s.files = existing(6)
			s.tune = func(f *Folder) { f.most = most }
		})
		until(t, "the manifest", func() bool { return sink.count("close a.mpd") == 1 })
		var order []string
		for _, c := range sink.said() {
			if name, ok := strings.CutPrefix(c, "create "); ok {
				order = append(order, name)
			}
		}
		if got := strings.Join(order, " "); !strings.HasSuffix(got, want) || len(order) != 8 {
			t.Errorf("with room for %d the order is %s, want %s", most, got, want)
		}
		r.stop()
	}
}

func TestFilesThatAreFollowedAreBounded(t *testing.T) {
	sink := new(recorder)
	r := newRig(t, func(s *setup) {
		s.sink = sink
		s.opt.Quiet = 30 * time.Millisecond
		s.tune = func(f *Folder) { f.most = 3 }
	})
	const n = 20
	var files []*os.File
	for i := range n {
		f := r.open(fmt.Sprintf("seg-%d.m4s", i))
		put(t, f, segment(1))
		files = append(files, f)
	}
	until(t, "as many as there may be", func() bool { return sink.count("create") == 3 })
	r.write("a.m3u8", playlist(1)) // found after all of them, it waits for a while; then it has room of its own
	until(t, "the manifest", func() bool { return sink.count("close a.m3u8") == 1 })
	for _, f := range files {
		shut(t, f)
	}
	until(t, "all", func() bool { return sink.count("close seg-") == n })
	if sink.most > 4 {
		t.Errorf("%d uploads at a time", sink.most)
	}
	if c := sink.count("create"); c != n+1 {
		t.Errorf("%d uploads for %d files", c, n+1)
	}
}

// What waits for its turn may be renamed, replaced or deleted.
func TestChangesInTheQueue(t *testing.T) {
	sink := new(recorder)
	r := newRig(t, func(s *setup) {
		s.sink = sink
		s.opt.Quiet = time.Hour
		s.tune = func(f *Folder) { f.most = 1 }
	})
	busy := r.open("seg-0.m4s")
	put(t, busy, segment(1))
	until(t, "the first", func() bool { return sink.count("create") == 1 })
	r.writeTemp("seg-1.m4s", segment(1))
	for range 3 {
		r.write("seg-2.m4s", segment(1))
		r.remove("seg-2.m4s")
		r.writeTemp("seg-3.m4s", segment(1))
	}
	r.write("a.mpd", []byte("<MPD></MPD>"))
	shut(t, busy)
	until(t, "the manifest", func() bool { return sink.count("close a.mpd") == 1 })
	r.stop()
	for call, want := range map[string]int{
		"create seg-0": 1, "close seg-0": 1, "close seg-1": 1, "close seg-2": 0, "close seg-3": 1, "create a.mpd": 1, "delete": 0,
	} {
		if n := sink.count(call); n != want {
			t.Errorf("%d times %q, want %d: %v", n, call, want, sink.said())
		}
	}
}

func TestRefusedFileIsNotTriedAllTheTime(t *testing.T) {
	sink := &recorder{refuse: func(name string) error {
		if name == "good.m4s" {
			return nil
		}
		return fmt.Errorf("upload of %s: %w", name, segstore.ErrOverBudget)
	}}
	r := newRig(t, func(s *setup) { s.sink = sink })
	f := r.open("seg-1.m4s")
	r.write("seg-2.m4s", segment(1))
	const writes = 400
	for range writes { // a refused file that grows
		put(t, f, fragment(10))
		time.Sleep(time.Millisecond)
	}
	r.write("good.m4s", segment(1))
	until(t, "the good file", func() bool { return sink.count("close good.m4s") == 1 })
	if n := sink.count("refused seg-1.m4s"); n < 2 || n > writes/10 {
		t.Errorf("the file that grows was offered %d times in %d writes", n, writes)
	}
	shut(t, f)
	until(t, "the last try", func() bool { return sink.count("refused seg-2.m4s") == mostTries })
	r.wantLog(1, segstore.ErrOverBudget.Error())
	if n := sink.count("delete"); n != 0 {
		t.Errorf("%d deletions of what was never there", n)
	}
}

// A file that is closed after each piece is whole each time, but the work of
// that is bounded.
func TestFileThatIsOpenedForEachPiece(t *testing.T) {
	sink, w := new(recorder), new(fakeWriters)
	w.set(writerAbsent) // between two pieces, whenever it is asked
	r := newRig(t, faked(w, time.Minute), func(s *setup) { s.sink = sink })
	began := time.Now()
	var body []byte
	for range 300 {
		f, err := os.OpenFile(r.path("seg-1.m4s"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		r.must(err)
		put(t, f, fragment(10))
		shut(t, f)
		body = append(body, fragment(10)...)
		time.Sleep(time.Millisecond)
	}
	until(t, "all of it", func() bool {
		v := sink.versions("seg-1.m4s")
		return len(v) > 0 && v[len(v)-1] == string(body)
	})
	if n, most := sink.count("create"), int(time.Since(began)/r.f.beat)+4; n > most {
		t.Errorf("taken %d times, want %d at most", n, most)
	}
}

func TestWhatASlotWants(t *testing.T) {
	r := newRig(t)
	r.write("a", []byte("a"))
	info, err := os.Stat(r.path("a"))
	r.must(err)
	id := identOf(info)
	for _, c := range []struct {
		what string
		s    slot
		want bool
	}{
		{"nothing there", slot{}, false},
		{"new", slot{info: info}, true},
		{"followed", slot{info: info, f: new(follower)}, false},
		{"dealt with", slot{info: info, done: id}, false},
		{"dealt with before it changed", slot{info: info, done: ident{inode: id.inode}}, true},
		{"refused", slot{info: info, done: id, again: true, tries: 1}, true},
		{"refused often", slot{info: info, done: id, again: true, tries: mostTries}, false},
		{"refused often before it changed", slot{info: info, again: true, tries: mostTries}, true},
	} {
		if got := c.s.wants(); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	var s slot
	var pauses []time.Duration
	for range 8 {
		s.ended(&follower{info: info}, &outcome{how: refused}, time.Second)
		pauses = append(pauses, time.Until(s.due).Round(time.Second)/time.Second)
	}
	if got := fmt.Sprint(pauses); got != "[1ns 2ns 4ns 8ns 16ns 32ns 32ns 32ns]" { // seconds
		t.Errorf("pauses are %s", got)
	}
}

// A store that has room again gets what it refused.
func TestStoreOverBudget(t *testing.T) {
	budget := segstore.NewBudget(1 << 20)
	r := newRig(t, func(s *setup) { s.store.Budget = budget })
	other, err := segstore.Open(segstore.Options{Budget: budget})
	r.must(err)
	hog, err := other.Create("hog.m4s", segstore.Head{Length: -1})
	r.must(err)
	for err == nil {
		_, err = hog.Write(make([]byte, 16<<10))
	}
	r.write("seg-1.m4s", segment(1))
	r.wantLog(1, segstore.ErrOverBudget.Error())
	if !r.isGone("seg-1.m4s") {
		t.Error("a refused file is in the store")
	}
	hog.Abort(errors.New("enough"))
	r.wantWhole("seg-1.m4s", segment(1))
	r.must(other.Close(t.Context()))
}

func TestStoreThatKeepsTheFirst(t *testing.T) {
	r := newRig(t, func(s *setup) { s.store.Policy = segstore.FirstCompleteWins })
	r.write("seg-1.m4s", segment(1))
	r.wantWhole("seg-1.m4s", segment(1))
	r.write("seg-1.m4s", segment(2))
	r.wantLog(1, segstore.ErrKept.Error())
	r.wantWhole("seg-1.m4s", segment(1))
}

func TestStoreIsClosedMeanwhile(t *testing.T) {
	r := newRig(t)
	put(t, r.open("seg-1.m4s"), segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	r.must(r.store.Close(t.Context()))
	r.write("seg-2.m4s", segment(1))
	r.write("seg-3.m4s", segment(1))
	r.wantLog(1, segstore.ErrClosed.Error())
	r.stop()
}

func TestUnreadableFile(t *testing.T) {
	r := newRig(t, func(s *setup) {
		s.tune = func(f *Folder) { f.most = 4 }
	})
	// A file whose directory goes between its listing and its opening.
	for i := range 50 {
		dir := fmt.Sprintf("v%d", i)
		r.mkdir(dir)
		r.write(dir+"/seg-1.m4s", segment(1))
		r.remove(dir)
	}
	r.settled()
	for i := range 50 {
		r.wantGone(fmt.Sprintf("v%d/seg-1.m4s", i))
	}
	if n := r.store.Stats().Growing; n != 0 {
		t.Errorf("%d uploads under way", n)
	}
}

func TestNothingIsRememberedOfWhatIsGone(t *testing.T) {
	r := newRig(t, briefly)
	r.stop()
	sink := new(recorder)
	r.f.sink = sink
	l := r.f.newLoop()
	defer l.close()
	step := func(what string, ok func() bool) {
		t.Helper()
		until(t, what, func() bool {
			l.hear(t)
			return ok()
		})
	}
	l.look(time.Now())
	for i := range 20 {
		r.mkdir("v")
		r.writeTemp(fmt.Sprintf("v/seg-%d.m4s", i), segment(1))
		r.write(fmt.Sprintf("seg-%d.m4s", i), segment(1)[:99]) // broken
		r.write(fmt.Sprintf("seg-%d.m4s.tmp", i), nil)
	}
	step("all are taken", func() bool { return sink.count("close") == 20 && sink.count("abort") == 20 && len(l.running) == 0 })
	r.remove("v")
	for i := range 20 {
		r.remove(fmt.Sprintf("seg-%d.m4s", i))
		r.remove(fmt.Sprintf("seg-%d.m4s.tmp", i))
	}
	step("all are gone", func() bool { return len(l.entries) == 0 })
	if n := sink.count("delete v/seg-"); n != 20 {
		t.Errorf("%d deletions, want 20", n)
	}
	q := &l.queue
	if len(l.dirs) != 1 || len(l.late) != 0 || q.unbegun != 0 || l.media != 0 || len(slices.Concat(q.inits, q.media, q.manifests)) != 0 {
		t.Errorf("left are dirs %v, late %v, queue %+v, %d running", l.dirs, l.late, l.queue, l.media)
	}
}

// hear does what Run does for what has happened, and does not wait.
func (l *loop) hear(t *testing.T) {
	for {
		select {
		case r := <-l.tools.reports:
			l.reported(r)
		case e := <-l.watcher.events():
			l.happened(e)
		case err := <-l.watcher.errors():
			t.Fatal(err)
		case <-l.timer.C:
			l.hurried = false
			l.timer.Reset(l.look(time.Now()))
		default:
			return
		}
		l.fill(t.Context())
	}
}
