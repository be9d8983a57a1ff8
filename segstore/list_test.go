package segstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// listed returns the entries of a directory like "a/ b:3 c+2".
func listed(t *testing.T, s *Store, dir string) string {
	t.Helper()
	entries, err := s.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		switch {
		case e.Dir:
			all = append(all, e.Name+"/")
		case e.Growing:
			all = append(all, fmt.Sprintf("%s+%d", e.Name, e.Size))
		default:
			all = append(all, fmt.Sprintf("%s:%d", e.Name, e.Size))
		}
		if e.ModTime.IsZero() != e.Growing {
			t.Errorf("%s has the time %v", e.Name, e.ModTime)
		}
	}
	return strings.Join(all, " ")
}

func TestList(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -10})
		if got := listed(t, s, ""); got != "" || !s.IsDir("") {
			t.Fatalf("an empty store has %q", got)
		}
		put(t, s, "a/b/deep.bin", []byte("deep"))
		put(t, s, "a/b/deeper/x.bin", []byte("deep"))
		put(t, s, "a/z.bin", []byte("123"))
		put(t, s, "ab.bin", []byte("1"))
		put(t, s, ".hidden", []byte("1"))
		put(t, s, ".dir/x", []byte("1"))
		put(t, s, "a/é #?.bin", nil)
		put(t, s, "live.mpd", []byte("old"))
		grow := start(t, s, "a/seg-1.m4s")
		push(t, grow, noise(70<<10, 1))
		for _, name := range []string{"live.mpd", "a/new.mpd"} {
			m := start(t, s, name)
			push(t, m, []byte("longer"))
			defer m.Abort(errAborted)
		}
		for dir, want := range map[string]string{
			"":         "a/ ab.bin:1 live.mpd:3",
			"a":        "b/ seg-1.m4s+71680 z.bin:3 é #?.bin:0",
			"a/b":      "deep.bin:4 deeper/",
			".dir":     "x:1",
			"a/b/deep": "",
		} {
			if want == "" {
				wantNoDir(t, s, dir)
				continue
			}
			until(t, dir+" has "+want, func() bool { return listed(t, s, dir) == want })
			if !s.IsDir(dir) {
				t.Errorf("%q is no directory", dir)
			}
		}
		grow.Abort(errAborted)
		if got, want := listed(t, s, "a"), "b/ z.bin:3 é #?.bin:0"; got != want {
			t.Fatalf("after a failed upload: %s, want %s", got, want)
		}
	})
}

// wantNoDir checks that the name is missing as a directory.
func wantNoDir(t *testing.T, s *Store, dir string) {
	t.Helper()
	got, err := s.List(dir)
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Name != dir || len(got) != 0 {
		t.Fatalf("List(%q) = %v, %v, want a MissingError", dir, got, err)
	}
	if s.IsDir(dir) {
		t.Fatalf("%q is a directory", dir)
	}
}

func TestListOfNoDirectory(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "a/b.bin", []byte("x"))
		w := start(t, s, "a/c.bin")
		defer w.Abort(errAborted)
		for name, want := range map[string]error{"a/b.bin": ErrNotDir, "a/c.bin": ErrNotDir, "../a": ErrName, "a/": ErrName, "/": ErrName} {
			if got, err := s.List(name); !errors.Is(err, want) || got != nil {
				t.Errorf("List(%q) = %v, %v, want %v", name, got, err, want)
			}
			if s.IsDir(name) {
				t.Errorf("%q is a directory", name)
			}
		}
		wantNoDir(t, s, "none")
		wantNoDir(t, s, "a/b.bin/c")
		if err := s.Delete("a/b.bin"); err != nil {
			t.Fatal(err)
		}
		until(t, "a still has the upload", func() bool { return listed(t, s, "a") == "c.bin+0" })
		if !s.IsDir("a") {
			t.Error("a directory with nothing but an upload is none")
		}
	})
}

func TestListIsBounded(t *testing.T) {
	s := openStore(t, Options{MaxCacheSegs: -mostEntries})
	for i := range mostEntries + 1 {
		put(t, s, fmt.Sprintf("d/f%dx", i), nil)
	}
	got, err := s.List("d")
	if !errors.Is(err, ErrTruncated) || len(got) != mostEntries {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	if err := s.Delete("d/f0x"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.List("d"); err != nil || len(got) != mostEntries {
		t.Fatalf("%d entries, %v", len(got), err)
	}
}

func TestListOfADirectoryOnDisk(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, dir, "found/a.bin", "12345")
	write(t, dir, "found/.hw-X.tmp.bin", "x") // reserved, and not swept
	write(t, dir, "found/back\\slash", "x")
	write(t, outside, "secret", "x")
	for name, to := range map[string]string{"found/in": "a.bin", "found/dir": "../found", "found/out": outside, "found/secret": filepath.Join(outside, "secret"), "found/no": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "found", "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := openDirStore(t, Options{Dir: dir, ReadOnly: true})
	if got, want := listed(t, s, "found"), "a.bin:5 dir/ in:5"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if _, err := s.List("found/fifo"); !errors.Is(err, ErrNotDir) {
		t.Fatalf("a FIFO: %v", err)
	}
	if _, err := s.List("found/out"); err == nil || s.IsDir("found/out") {
		t.Fatal("a link out of the directory was followed")
	}
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, "empty"); got != "" || !s.IsDir("empty") {
		t.Fatalf("an empty directory has %s", got)
	}
}

func TestListOfWhatTheDiskRefused(t *testing.T) {
	s, _ := openDirStore(t, Options{MaxCacheSegs: -4})
	put(t, s, "d/a.bin", []byte("1"))
	put(t, s, "d/b.bin", []byte("1"))
	failDisk(s.disk, syscall.ENOSPC)
	for _, name := range []string{"d/b.bin", "d/c.bin", "d/e/f.bin"} {
		w := start(t, s, name)
		push(t, w, []byte("22"))
		if err := w.Close(); !errors.Is(err, ErrUnsaved) {
			t.Fatal(err)
		}
	}
	if got, want := listed(t, s, "d"), "a.bin:1 b.bin:2 c.bin:2 e/"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}
