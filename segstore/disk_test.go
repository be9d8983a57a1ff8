package segstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// openDirStore opens a directory store and returns its directory.
func openDirStore(t *testing.T, o Options) (*Store, string) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	return openStore(t, o), o.Dir
}

// tree lists the files and directories below dir.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantTree(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Fatalf("on disk: %q, want %q", got, want)
	}
}

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCompleteFilesMoveToDisk(t *testing.T) {
	for _, durable := range []bool{false, true} {
		s, dir := openDirStore(t, Options{MaxCacheSegs: -5, Sync: durable})
		w := start(t, s, "a/b/seg-1.m4s")
		push(t, w, []byte("one"))
		wantTree(t, dir) // a growing file is not there, under any name
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "a", "a/b", "a/b/seg-1.m4s")
		info, err := os.Stat(filepath.Join(dir, "a", "b", "seg-1.m4s"))
		if err != nil || !info.ModTime().Equal(w.File().View().ModTime()) {
			t.Fatalf("on disk since %v, %v, complete since %v", info.ModTime(), err, w.File().View().ModTime())
		}
		f, err := s.Lookup("a/b/seg-1.m4s")
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Open()
		if err != nil || b.OnDisk() == nil {
			t.Fatalf("the body is not on disk, %v", err)
		}
		_ = b.Close()
		if got := s.Stats().Bytes; got != 0 {
			t.Fatalf("%d bytes of memory", got)
		}
	}
}

func TestDeleteRemovesEmptyDirectories(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	put(t, s, "a/b/c/seg-1.m4s", []byte("x"))
	put(t, s, "a/seg-1.m4s", []byte("x"))
	if err := s.Delete("a/b/c/seg-1.m4s"); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, "a", "a/seg-1.m4s")
	if err := s.Delete("a/seg-1.m4s"); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir)
	write(t, dir, "by/others.txt", "x")
	if err := s.Delete("by/others.txt"); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir)
}

func TestDeleteWhileItsDirectoryIsUsed(t *testing.T) {
	s, _ := openDirStore(t, Options{MaxCacheSegs: -1000})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				name := fmt.Sprintf("a/b/g%d-%d.m4s", g, i)
				w, err := s.Create(name, Head{Length: -1})
				if err == nil {
					_, _ = w.Write([]byte(name))
					err = w.Close()
				}
				if err == nil && i%10 != 0 {
					err = s.Delete(name)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for g := range 4 {
		for i := range 10 {
			name := fmt.Sprintf("a/b/g%d-%d.m4s", g, i*10)
			wantContent(t, s, name, []byte(name))
		}
	}
	if st := s.Stats(); st.DiskErrors != 0 || st.DiskUnsaved != 0 {
		t.Fatalf("stats %+v", st)
	}
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s, _ := openDirStore(t, Options{Dir: dir, MaxCacheSegs: -3})
	for i := 1; i <= 3; i++ {
		put(t, s, seg(i), []byte(seg(i)))
	}
	put(t, s, "v/init.mp4", []byte("init"))
	old, _ := s.Lookup(seg(2))
	cut := start(t, s, seg(4))
	push(t, cut, []byte("half of it"))
	// What a killed process leaves: temporary files of any length.
	write(t, dir, "v/.hw-ABC.tmp", "half")
	write(t, dir, ".hw-DEF.tmp", "")
	write(t, dir, "v/.hw-notours", "x")

	s2, _ := openDirStore(t, Options{Dir: dir, MaxCacheSegs: -3})
	wantTree(t, dir, "v", "v/.hw-notours", "v/init.mp4", seg(1), seg(2), seg(3))
	wantContent(t, s2, seg(2), []byte(seg(2)))
	now, _ := s2.Lookup(seg(2))
	if old.View().ETag() != now.View().ETag() || !old.View().ModTime().Equal(now.View().ModTime()) {
		t.Fatalf("the version changed with the restart: %s, %s", old.View().ETag(), now.View().ETag())
	}
	wantMissing(t, s2, seg(4), Next)
	wantMissing(t, s2, seg(5), Future)
	put(t, s2, seg(4), []byte("new"))
	wantMissing(t, s2, seg(1), Evicted)
	wantTree(t, dir, "v", "v/.hw-notours", "v/init.mp4", seg(2), seg(3), seg(4))
	cut.Abort(errAborted)
	wantContent(t, s2, seg(4), []byte("new"))
}

func TestManyFilesAreLearntFast(t *testing.T) {
	dir := t.TempDir()
	for d := range 4 {
		sub := filepath.Join(dir, fmt.Sprint("v", d))
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 2500 {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("seg-%d.m4s", i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	began := time.Now()
	s, _ := openDirStore(t, Options{Dir: dir, MaxCacheSegs: -2500})
	t.Logf("10000 files learnt in %v", time.Since(began))
	put(t, s, "v3/seg-2500.m4s", nil)
	if _, err := os.Stat(filepath.Join(dir, "v3", "seg-0.m4s")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the oldest is still there: %v", err)
	}
	wantMissing(t, s, "v3/seg-0.m4s", Evicted)
	wantContent(t, s, "v3/seg-1.m4s", nil)
}

func TestFilesOfOthers(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	write(t, dir, "vod/movie.mp4", "movie")
	wantContent(t, s, "vod/movie.mp4", []byte("movie"))
	if _, err := s.Lookup("vod"); !errors.Is(err, ErrIsDir) {
		t.Fatalf("Lookup of a directory: %v", err)
	}
	if _, err := s.Create("vod", Head{}); !errors.Is(err, ErrIsDir) {
		t.Fatalf("Create over a directory: %v", err)
	}
	if err := s.Delete("vod"); !errors.Is(err, ErrIsDir) {
		t.Fatalf("Delete of a directory: %v", err)
	}
	if _, err := s.Create("vod/movie.mp4/x", Head{}); !errors.Is(err, ErrName) {
		t.Fatalf("Create below a file: %v", err)
	}
	wantMissing(t, s, "vod/movie.mp4/x", Never)
	if _, err := s.Lookup("vod/.hw-x.tmp"); !errors.Is(err, ErrName) {
		t.Fatalf("Lookup of a temporary file: %v", err)
	}
	w := start(t, s, "vod/movie.mp4")
	if !w.Replaces() {
		t.Error("it does not know that it replaces a file of others")
	}
	push(t, w, []byte("x"))
	w.Abort(errAborted)
	wantContent(t, s, "vod/movie.mp4", []byte("movie"))
	first, _ := openDirStore(t, Options{Dir: dir, Policy: FirstWins})
	if _, err := first.Create("vod/movie.mp4", Head{}); !errors.Is(err, ErrKept) {
		t.Fatalf("Create over a file of others: %v", err)
	}
}

func TestFilesThatOthersChange(t *testing.T) {
	s, dir := openDirStore(t, Options{MaxCacheSegs: -5})
	put(t, s, seg(1), []byte("one"))
	put(t, s, seg(2), []byte("two"))
	gone, _ := s.Lookup(seg(1))
	changed, _ := s.Lookup(seg(2))
	if err := os.Remove(filepath.Join(dir, seg(1))); err != nil {
		t.Fatal(err)
	}
	write(t, dir, seg(2), "other")
	wantMissing(t, s, seg(1), Evicted)
	wantContent(t, s, seg(2), []byte("other"))
	for _, f := range []*File{gone, changed} {
		if got, err := bodyOf(f); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the File of before opens to %q, %v", got, err)
		}
	}
}

func TestSpecialFilesAndSymlinks(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "secret.mp4", "secret")
	s, dir := openDirStore(t, Options{})
	write(t, dir, "real.mp4", "real")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.mp4"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"out.mp4": filepath.Join(outside, "secret.mp4"), "up.mp4": "../" + filepath.Base(outside) + "/secret.mp4",
		"outdir": outside, "in.mp4": "real.mp4", "loop.mp4": "loop.mp4", "null.mp4": "/dev/null",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	wantContent(t, s, "in.mp4", []byte("real"))
	for _, name := range []string{"fifo.mp4", "out.mp4", "up.mp4", "outdir/secret.mp4", "loop.mp4", "null.mp4"} {
		wantMissing(t, s, name, Never)
	}
	// A FIFO that takes a file's place between Lookup and Open.
	f, err := s.Lookup("real.mp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "fifo.mp4"), filepath.Join(dir, "real.mp4")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Open of a FIFO: %v", err)
	}
	put(t, s, "out.mp4", []byte("mine"))
	wantContent(t, s, "out.mp4", []byte("mine"))
	if got, _ := os.ReadFile(filepath.Join(outside, "secret.mp4")); string(got) != "secret" {
		t.Fatalf("a file outside was overwritten with %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/x.mp4", "x")
	write(t, dir, "a/.hw-x.tmp", "x")
	s, _ := openDirStore(t, Options{Dir: dir, ReadOnly: true})
	wantContent(t, s, "a/x.mp4", []byte("x"))
	if _, err := s.Create("y", Head{}); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("Create: %v", err)
	}
	if err := s.Delete("a/x.mp4"); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("Delete: %v", err)
	}
	wantTree(t, dir, "a", "a/.hw-x.tmp", "a/x.mp4")
	missing := filepath.Join(dir, "missing")
	if _, err := Open(Options{Dir: missing, ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Fatalf("Open of what is not there: %v", err)
	}
	if _, err := Open(Options{Dir: filepath.Join(dir, "a", "x.mp4")}); err == nil {
		t.Fatal("a file was opened as a store")
	}
}

func TestArrivalOnDiskIsTheTimeOfChange(t *testing.T) {
	dir := t.TempDir()
	for i := 1; i <= 3; i++ {
		write(t, dir, seg(i), "x")
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, seg(2)), old, old); err != nil {
		t.Fatal(err)
	}
	s, _ := openDirStore(t, Options{Dir: dir, MaxCacheSegs: -3})
	put(t, s, seg(4), []byte("x"))
	wantTree(t, dir, "v", seg(1), seg(3), seg(4))
}

func TestRegistryOfADirectoryIsBounded(t *testing.T) {
	s, _ := openDirStore(t, Options{MaxCacheSegs: -9})
	put(t, s, seg(1), []byte("x"))
	for i := range mostOnDisk {
		s.boundDisk(fmt.Sprint("other", i))
	}
	if n := s.Stats().Files; n != 0 {
		t.Fatalf("the registry has %d files", n)
	}
	wantContent(t, s, seg(1), []byte("x"))
	put(t, s, seg(2), []byte("y"))
	if n := s.Stats().Files; n != 1 {
		t.Fatalf("the registry has %d files", n)
	}
}
