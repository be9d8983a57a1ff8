package folder

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/headwater-origin/headwater/segstore"
)

func TestNewNamesNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		file + "-not": "no such directory",
		file:          "not a directory",
	} {
		_, err := New(Options{Dir: dir}, new(segstore.Store))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", dir, err, want)
		}
	}
}

// The files of a directory that was just made may come before it is watched.
func TestNewDirectories(t *testing.T) {
	r := newRig(t)
	for i := range 100 {
		dir := fmt.Sprintf("stream_%d/a/b", i)
		r.mkdir(dir)
		r.write(dir+"/init.m4s", box("moov", 10))
		r.write(filepath.Dir(dir)+"/init.m4s", box("moov", 20))
	}
	for i := range 100 {
		r.wantWhole(fmt.Sprintf("stream_%d/a/b/init.m4s", i), box("moov", 10))
		r.wantWhole(fmt.Sprintf("stream_%d/a/init.m4s", i), box("moov", 20))
	}
	f := r.open("stream_7/a/b/seg-1.m4s") // they are watched from then on
	put(t, f, segment(1))
	r.wantGrowing("stream_7/a/b/seg-1.m4s", segment(1))
	shut(t, f)
	r.wantWhole("stream_7/a/b/seg-1.m4s", segment(1))
}

func TestDirectoriesMoveAndGo(t *testing.T) {
	r := newRig(t)
	for _, dir := range []string{"a", "a/sub"} {
		r.mkdir(dir)
		r.write(dir+"/init.m4s", box("moov", 10))
		r.wantWhole(dir+"/init.m4s", box("moov", 10))
	}
	grows := r.open("a/sub/seg-1.m4s")
	put(t, grows, segment(1))
	r.wantGrowing("a/sub/seg-1.m4s", segment(1))

	r.rename("a", "b")
	r.wantGone("a/init.m4s")
	r.wantGone("a/sub/init.m4s")
	r.wantWhole("b/init.m4s", box("moov", 10))
	r.wantWhole("b/sub/init.m4s", box("moov", 10))
	r.wantGrowing("b/sub/seg-1.m4s", segment(1))
	shut(t, grows)
	r.wantWhole("b/sub/seg-1.m4s", segment(1))

	r.write("b/sub/seg-2.m4s", segment(2)) // watched under its new name
	r.wantWhole("b/sub/seg-2.m4s", segment(2))
	r.remove("b")
	r.mkdir("b/sub")
	r.write("b/sub/seg-2.m4s", segment(3))
	r.wantWhole("b/sub/seg-2.m4s", segment(3))
	r.wantGone("b/init.m4s")
	r.rename("b", "../"+filepath.Base(r.dir)+"-gone")
	r.Cleanup(func() { _ = os.RemoveAll(r.dir + "-gone") }) // beside the test's own directory
	r.wantGone("b/sub/seg-2.m4s")
}

func TestFolderGoesAndComesAgain(t *testing.T) {
	for _, c := range []struct {
		what string
		away func(r *rig)
	}{
		{"removed", func(r *rig) { r.remove("") }},
		{"renamed", func(r *rig) { r.must(os.Rename(r.dir, r.dir+"-old")) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			r.Cleanup(func() { _ = os.RemoveAll(r.dir + "-old") })
			r.mkdir("v")
			f := r.open("v/seg-1.m4s")
			put(t, f, segment(1))
			r.wantGrowing("v/seg-1.m4s", segment(1))
			r.write("live.m3u8", playlist(1))
			r.wantWhole("live.m3u8", playlist(1))
			in := r.read("v/seg-1.m4s")
			for again := 1; again <= 2; again++ {
				c.away(r)
				r.wantGone("live.m3u8")
				r.wantGone("v/seg-1.m4s")
				r.wantLog(again, "watched folder has gone")
				r.mkdir("v")
				r.write("v/seg-1.m4s", segment(4))
				r.wantWhole("v/seg-1.m4s", segment(4))
				r.wantLog(again, "watched folder is there again")
				r.write("live.m3u8", playlist(again))
				r.wantWhole("live.m3u8", playlist(again))
				r.must(os.RemoveAll(r.dir + "-old"))
			}
			in.wantEnd(t, errDeleted)
		})
	}
}

func TestFolderIsReplacedUnnoticed(t *testing.T) {
	r := newRig(t, func(s *setup) {
		link := s.opt.Dir + "-link"
		if err := os.Symlink(s.opt.Dir, link); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(link) })
		s.opt.Dir = link
	})
	r.write("seg-1.m4s", segment(1))
	r.wantWhole("seg-1.m4s", segment(1))
	other := t.TempDir()
	r.must(os.WriteFile(filepath.Join(other, "seg-2.m4s"), segment(2), 0o644))
	r.must(os.Symlink(other, r.dir+"-new"))
	r.must(os.Rename(r.dir+"-new", r.dir+"-link"))
	r.wantWhole("seg-2.m4s", segment(2))
	r.wantGone("seg-1.m4s")
}

func TestExisting(t *testing.T) {
	files := func(dir string) {
		for _, name := range []string{"init.m4s", "seg-1.m4s", "seg-2.m4s", "cut.m4s", "left.m4s.tmp"} {
			body := segment(1)
			if name == "cut.m4s" {
				body = body[:100]
			}
			if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("taken", func(t *testing.T) {
		r := newRig(t, briefly, func(s *setup) { s.files = files })
		for _, name := range []string{"init.m4s", "seg-1.m4s", "seg-2.m4s"} {
			r.wantWhole(name, segment(1))
		}
		r.wantLog(1, errCut.Error())
		r.wantLog(1, errNotRenamed.Error())
		r.wantGone("cut.m4s")
		r.wantGone("left.m4s")
	})
	t.Run("left", func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			s.files = files
			s.opt.Existing = false
		})
		until(t, "it is listed", func() bool { // what is made before that counts as there
			name := fmt.Sprintf("probe-%d.txt", time.Now().UnixNano())
			r.write(name, []byte("x"))
			s, _ := r.state(name)
			for end := time.Now().Add(100 * time.Millisecond); s != segstore.Complete && time.Now().Before(end); s, _ = r.state(name) {
				time.Sleep(time.Millisecond)
			}
			return s == segstore.Complete
		})
		for _, name := range []string{"init.m4s", "seg-1.m4s", "seg-2.m4s", "cut.m4s", "left.m4s"} {
			if !r.isGone(name) {
				t.Errorf("%s was taken", name)
			}
		}
		r.remove("seg-1.m4s")
		r.write("seg-2.m4s", segment(2))
		r.rename("left.m4s.tmp", "left.m4s")
		r.wantWhole("seg-2.m4s", segment(2))
		r.wantWhole("left.m4s", segment(1))
		r.remove("seg-2.m4s")
		r.wantGone("seg-2.m4s")
	})
}

func TestOrderOfAListing(t *testing.T) {
	r := newRig(t)
	old := time.Now().Add(-time.Hour)
	for i, name := range []string{"live.mpd", "v/seg-10.m4s", "v/seg-9.m4s", "v/init.m4s", "old-2.m4s", "a/seg-11.m4s"} {
		r.mkdir(filepath.Dir(name))
		r.write(name, segment(1))
		at := old.Add(time.Duration(i) * time.Millisecond) // they were copied together
		if name == "old-2.m4s" {
			at = old.Add(-time.Hour)
		}
		r.must(os.Chtimes(r.path(name), at, at))
	}
	r.stop()
	l := r.f.newLoop()
	l.started = true
	defer l.close()
	if !l.open() {
		t.Fatal("cannot open the folder")
	}
	got := fmt.Sprint(l.enter(""))
	if want := "[v/init.m4s old-2.m4s v/seg-9.m4s a/seg-11.m4s v/seg-10.m4s live.mpd]"; got != want {
		t.Errorf("files are taken as %s, want %s", got, want)
	}
}

func TestWhatIsSkipped(t *testing.T) {
	r := newRig(t, func(s *setup) {
		s.files = func(dir string) {
			for _, name := range []string{".early/seg.m4s", ".early.m4s"} {
				_ = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
				_ = os.WriteFile(filepath.Join(dir, name), segment(1), 0o644)
			}
		}
	})
	for _, name := range []string{".early/seg.m4s", ".early.m4s"} {
		if _, err := os.Stat(r.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "secret")
	r.must(os.MkdirAll(filepath.Join(outside, "dir"), 0o755))
	r.must(os.WriteFile(outside+"/secret.m4s", segment(1), 0o644))
	r.write("real.m4s", segment(1))
	r.mkdir(".hidden")
	r.must(os.Symlink(outside+"/secret.m4s", r.path("link.m4s")))
	r.must(os.Symlink("real.m4s", r.path("inside.m4s")))
	r.must(os.Symlink(outside, r.path("dir")))
	r.must(syscall.Mkfifo(r.path("pipe.m4s"), 0o644))
	for _, name := range []string{".hidden.m4s", ".hidden/seg.m4s", `back\slash.m4s`, "twice.m4s.tmp.tmp", ".tmp", "line\nfeed.m4s", "seg\x01.m4s.tmp"} {
		r.write(name, segment(1))
		r.write(name, segment(2))
	}
	r.wantWhole("real.m4s", segment(1))
	r.settled()
	for _, name := range []string{".early/seg.m4s", ".early.m4s", ".hidden.m4s", ".hidden/seg.m4s"} {
		if !r.isGone(name) {
			t.Errorf("%s is in the store", name)
		}
	}
	list, err := r.store.List("")
	r.must(err)
	for _, e := range list {
		if e.Name != "real.m4s" && !strings.HasPrefix(e.Name, "settled-") {
			t.Errorf("the store has %q", e.Name)
		}
	}
	for text, n := range map[string]int{
		"link.m4s": 1, "inside.m4s": 1, "file=dir err": 1, "pipe.m4s": 1, "slash.m4s": 1, "twice.m4s": 1, "feed.m4s": 1, `x01.m4s`: 1,
		"hidden": 0,
	} {
		r.wantLog(n, text)
	}
	// A file in the place of a link is one.
	r.remove("link.m4s")
	r.write("link.m4s", segment(3))
	r.wantWhole("link.m4s", segment(3))
	// And the other way round: what is behind the link is not shown.
	r.remove("real.m4s")
	r.must(os.Symlink(outside+"/secret.m4s", r.path("real.m4s")))
	r.wantGone("real.m4s")
	r.mkdir("sub")
	r.write("sub/secret.m4s", segment(4))
	r.wantWhole("sub/secret.m4s", segment(4))
	r.remove("sub")
	r.must(os.Symlink(outside, r.path("sub")))
	r.wantGone("sub/secret.m4s")
	for _, dir := range []string{"real", "link"} { // nor is what is behind a link inside
		r.mkdir(dir)
		r.write(dir+"/seg-1.m4s", segment(1))
		r.wantWhole(dir+"/seg-1.m4s", segment(1))
	}
	r.rename("link", "old")
	r.must(os.Symlink("real", r.path("link")))
	r.wantWhole("old/seg-1.m4s", segment(1))
	r.wantGone("link/seg-1.m4s")
	r.stop()
	l := r.f.newLoop()
	defer l.close()
	if !l.open() {
		t.Fatal("cannot open the folder")
	}
	for file, want := range map[string]bool{"real/seg-1.m4s": true, "link/seg-1.m4s": false, "link": false, "real": false, "real/seg-1.m4s/x": false} {
		if info, err := l.stat(file); (info != nil) != want || err != nil {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

func TestFileIsAnotherWhenItIsOpened(t *testing.T) {
	r := newRig(t)
	r.write("a", []byte("a"))
	r.write("b", []byte("b"))
	root, err := os.OpenRoot(r.dir)
	r.must(err)
	defer func() { _ = root.Close() }() // only read from
	info, err := root.Lstat("b")
	r.must(err)
	for path, want := range map[string]how{"a": anew, "b": empty, "c": ended} {
		r.must(os.Truncate(r.path("b"), 0))
		f := &follower{
			tools: &tools{root: root, writers: findWriter, reports: make(chan report, 2), buffers: &sync.Pool{New: func() any { return new([pieceSize]byte) }}},
			path:  path, name: path, info: info, moved: true,
		}
		f.seed = maphash.MakeSeed()
		if end := f.follow(t.Context()); end.how != want {
			t.Errorf("%s ends as %d with %v, want %d", path, end.how, end.err, want)
		}
	}
}

// tamperedWatcher loses events.
type tamperedWatcher struct {
	watcher
	out    chan fsnotify.Event // nothing, unless a test says it
	errs   chan error
	addErr error
	wg     sync.WaitGroup
}

func (w *tamperedWatcher) events() <-chan fsnotify.Event { return w.out }
func (w *tamperedWatcher) errors() <-chan error          { return w.errs }

func (w *tamperedWatcher) Add(dir string) error {
	if w.addErr != nil {
		return w.addErr
	}
	return w.watcher.Add(dir)
}

// Close leaves nothing of what the watcher under it said.
func (w *tamperedWatcher) Close() error {
	err := w.watcher.Close()
	w.wg.Wait()
	return err
}

func (w *tamperedWatcher) lose() {
	for range w.watcher.events() {
	}
}

func TestLostEvents(t *testing.T) {
	var deaf *tamperedWatcher // the first one
	r := newRig(t, func(s *setup) {
		s.files = func(dir string) {
			_ = os.MkdirAll(filepath.Join(dir, "a"), 0o755) // its absence fails the test
			for _, name := range []string{"a/seg-1.m4s", "a/seg-2.m4s", "a/seg-3.m4s", "seg-4.m4s.tmp"} {
				_ = os.WriteFile(filepath.Join(dir, name), segment(1), 0o644) // as above
			}
		}
		s.tune = func(f *Folder) {
			f.watch = func() (watcher, error) {
				w, err := watchSystem()
				if err != nil || deaf != nil {
					return w, err
				}
				deaf = &tamperedWatcher{watcher: w, errs: make(chan error)}
				deaf.wg.Go(deaf.lose)
				return deaf, nil
			}
		}
	})
	for i := range 3 {
		r.wantWhole(fmt.Sprintf("a/seg-%d.m4s", i+1), segment(1))
	}
	r.rename("a", "b")
	r.remove("b/seg-2.m4s")
	r.write("b/seg-3.m4s", segment(3))
	r.rename("seg-4.m4s.tmp", "seg-4.m4s")
	r.mkdir("c/d")
	r.write("c/d/seg-5.m4s", segment(5))
	deaf.errs <- fsnotify.ErrEventOverflow
	r.wantWhole("b/seg-1.m4s", segment(1))
	r.wantWhole("b/seg-3.m4s", segment(3))
	r.wantWhole("seg-4.m4s", segment(1))
	r.wantWhole("c/d/seg-5.m4s", segment(5))
	for _, name := range []string{"a/seg-1.m4s", "a/seg-2.m4s", "b/seg-2.m4s", "a/seg-3.m4s"} {
		r.wantGone(name)
	}
	r.wantLog(1, "events were lost")
	r.write("b/seg-6.m4s", segment(6)) // the directory that moved is watched
	r.wantWhole("b/seg-6.m4s", segment(6))
}

// A system may have no watches left: the folder is listed by and by.
func TestNoWatches(t *testing.T) {
	for what, watch := range map[string]func() (watcher, error){
		"no watcher": func() (watcher, error) { return nil, syscall.EMFILE },
		"no watches": func() (watcher, error) {
			under, err := watchSystem()
			w := &tamperedWatcher{watcher: under, addErr: syscall.ENOSPC}
			w.wg.Go(w.lose)
			return w, err
		},
		"watchers end": func() (watcher, error) {
			under, err := watchSystem()
			if err == nil {
				err = under.Close()
			}
			return under, err
		},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, func(s *setup) { s.tune = func(f *Folder) { f.watch = watch } })
			r.mkdir("v")
			f := r.open("v/seg-1.m4s.tmp")
			put(t, f, segment(1))
			r.wantGrowing("v/seg-1.m4s", segment(1))
			put(t, f, fragment(10))
			r.wantGrowing("v/seg-1.m4s", append(segment(1), fragment(10)...))
			shut(t, f)
			r.rename("v/seg-1.m4s.tmp", "v/seg-1.m4s")
			r.wantWhole("v/seg-1.m4s", append(segment(1), fragment(10)...))
			r.write("live.m3u8", playlist(1))
			r.wantWhole("live.m3u8", playlist(1))
			r.remove("v")
			r.wantGone("v/seg-1.m4s")
			r.wantLog(1, "no events")
		})
	}
}

// While a deletion takes its time, more happens than the system's queue holds.
func TestEventsOverflow(t *testing.T) {
	most, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if errors.Is(err, os.ErrNotExist) {
		most = []byte("16384")
	}
	var n int
	if _, err := fmt.Sscan(string(most), &n); err != nil {
		t.Fatal(err)
	}
	sink := &slowDeleter{begun: make(chan struct{}), end: make(chan struct{})}
	r := newRig(t, func(s *setup) { s.sink = sink })
	r.write("seg-1.m4s", segment(1))
	until(t, "the first segment", func() bool { return sink.count("close seg-1.m4s") == 1 })
	r.remove("seg-1.m4s")
	<-sink.begun
	a, b := r.open("a.bin"), r.open("b.bin")
	for range n { // one after the other: the system joins events that are alike
		put(t, a, []byte("a"))
		put(t, b, []byte("b"))
	}
	r.write("seg-2.m4s", segment(2))
	close(sink.end)
	until(t, "the second segment", func() bool { return sink.count("close seg-2.m4s") == 1 })
	r.wantLog(1, "overflow")
	r.write("seg-3.m4s", segment(2))
	until(t, "the third segment", func() bool { return sink.count("close seg-3.m4s") == 1 })
}

type slowDeleter struct {
	recorder
	begun, end chan struct{}
}

func (s *slowDeleter) delete(name string) error {
	close(s.begun)
	<-s.end
	return s.recorder.delete(name)
}
