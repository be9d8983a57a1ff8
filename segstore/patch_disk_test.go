package segstore

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestPatchOnDiskTakesNoMemory(t *testing.T) {
	s, dir := openDirStore(t, Options{MaxBytes: 64 << 10})
	big := noise(1<<20, 1)
	if err := os.WriteFile(filepath.Join(dir, "big.bin"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := s.Patch("big.bin", Change{Spans: []Span{{1 << 19, ToEnd}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(big); err != nil || s.Stats().Bytes != 0 {
		t.Fatalf("%d bytes of memory, %v", s.Stats().Bytes, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "big.bin", slices.Concat(big[:1<<19], big))
	wantTree(t, dir, "big.bin")
}

func TestPatchOfAFailingDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{Sync: true})
	put(t, s, "d/f.bin", []byte("old"))
	failing := failDisk(s.disk, syscall.ENOSPC)
	if err := patch(s, "d/f.bin", "abc", Span{3, 6}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	failing.Store(false)
	rename := s.disk.rename
	s.disk.rename = func(string, string) error { return syscall.EIO }
	if err := patch(s, "d/f.bin", "abc", Span{3, 6}); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	wantContent(t, s, "d/f.bin", []byte("old"))
	if st := s.Stats(); st.DiskErrors != 2 || st.DiskUnsaved != 0 {
		t.Fatalf("stats %+v", st)
	}
	s.disk.rename = rename
	if err := patch(s, "d/f.bin", "abc", Span{3, 6}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "d/f.bin", []byte("oldabc"))
	wantTree(t, dir, "d", "d/f.bin")
}

// TestPatchOfWhatIsNotSaved saves a file by patching it.
func TestPatchOfWhatIsNotSaved(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	failing := failDisk(s.disk, syscall.ENOSPC)
	s.disk.retry = time.Hour
	w := start(t, s, "d/f.bin")
	push(t, w, []byte("old"))
	if err := w.Close(); !errors.Is(err, ErrUnsaved) {
		t.Fatal(err)
	}
	failing.Store(false)
	if err := patch(s, "d/f.bin", "abc", Span{1, 4}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "d/f.bin", []byte("oabc"))
	wantTree(t, dir, "d", "d/f.bin")
	if st := s.Stats(); st.DiskUnsaved != 0 || st.Bytes != 0 {
		t.Fatalf("stats %+v", st)
	}
}

func TestPatchOfAHangingDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	put(t, s, "f.bin", []byte("old"))
	s.disk.patience = time.Millisecond
	release := make(chan struct{})
	blocker := s.disk.lanes.addDo("f.bin", func() error { <-release; return nil })
	err := patch(s, "f.bin", "abc", Span{0, 3})
	close(release)
	<-blocker.done
	if !errors.Is(err, errSlow) {
		t.Fatalf("Close: %v", err)
	}
	wantContent(t, s, "f.bin", []byte("old"))
	wantTree(t, dir, "f.bin")
	s.disk.patience = diskPatience
	s.disk.hangs.Store(false)
	if err := patch(s, "f.bin", "abc", Span{0, 3}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "f.bin", []byte("abc"))
}

// TestPatchThatIsSlow has its turn begun when patience ends: it is not given up.
func TestPatchThatIsSlow(t *testing.T) {
	d := &diary{t: t}
	s, _ := openDirStore(t, Options{Observers: []Observer{d}})
	put(t, s, "f.bin", []byte("old"))
	s.disk.patience = time.Millisecond
	rename := s.disk.rename
	s.disk.rename = func(from, to string) error {
		time.Sleep(50 * s.disk.patience)
		return rename(from, to)
	}
	if err := patch(s, "f.bin", "abc", Span{0, 3}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "f.bin", []byte("abc"))
	d.want(t, "+growing f.bin", "+complete f.bin")
}
