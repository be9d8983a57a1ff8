package segstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// failDisk makes writes to the store's disk fail while the returned switch is on.
func failDisk(d *disk, err error) *atomic.Bool {
	var failing atomic.Bool
	failing.Store(true)
	d.retry = 5 * time.Millisecond
	d.write = func(f *os.File, p []byte) (int, error) {
		if failing.Load() {
			n, _ := f.Write(p[:len(p)/2])
			return n, err
		}
		return f.Write(p)
	}
	return &failing
}

func TestFullDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{MaxCacheSegs: -4})
	put(t, s, seg(1), []byte("before"))
	failing := failDisk(s.disk, syscall.ENOSPC)
	put(t, s, "other.bin", nil) // nothing to write, nothing fails
	for i := 2; i <= 3; i++ {
		w := start(t, s, seg(i))
		push(t, w, []byte(seg(i)))
		if err := w.Close(); !errors.Is(err, ErrUnsaved) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Close: %v", err)
		}
		wantContent(t, s, seg(i), []byte(seg(i)))
	}
	if st := s.Stats(); st.DiskUnsaved != 2 || st.DiskErrors < 2 {
		t.Fatalf("stats %+v", st)
	}
	wantTree(t, dir, "other.bin", "v", seg(1))
	tried := s.Stats().DiskErrors
	until(t, "several tries", func() bool { return s.Stats().DiskErrors > tried+3 })
	failing.Store(false)
	until(t, "all on disk", func() bool { return s.Stats().DiskUnsaved == 0 })
	for i := 2; i <= 3; i++ {
		wantContent(t, s, seg(i), []byte(seg(i)))
	}
	wantTree(t, dir, "other.bin", "v", seg(1), seg(2), seg(3))
	if st := s.Stats(); st.Bytes != 0 {
		t.Fatalf("stats %+v", st)
	}
}

func TestFullDiskUnderBytePressure(t *testing.T) {
	s, dir := openDirStore(t, Options{MaxCacheSegs: -100, MaxBytes: 64 << 10})
	failDisk(s.disk, syscall.EIO)
	for i := range 10 {
		w := start(t, s, seg(i))
		push(t, w, noise(16<<10, uint64(i)))
		if err := w.Close(); !errors.Is(err, ErrUnsaved) {
			t.Fatal(err)
		}
		wantContent(t, s, seg(i), noise(16<<10, uint64(i)))
	}
	if st := s.Stats(); st.EvictedBytes != 6 || st.DiskUnsaved != 4 || st.Bytes != 64<<10 {
		t.Fatalf("stats %+v", st)
	}
	// Attempts go on; each leaves nothing behind but, for a moment, its file.
	for until := time.Now().Add(20 * time.Second); !slices.Equal(tree(t, dir), []string{"v"}); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			wantTree(t, dir, "v")
		}
	}
}

func TestUnsavedVersionIsReplaced(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	failing := failDisk(s.disk, syscall.EROFS)
	for _, body := range []string{"one", "two"} {
		w := start(t, s, "live.mpd")
		push(t, w, []byte(body))
		if err := w.Close(); !errors.Is(err, ErrUnsaved) {
			t.Fatal(err)
		}
	}
	failing.Store(false)
	until(t, "it is on disk", func() bool { return s.Stats().DiskUnsaved == 0 })
	if got, err := os.ReadFile(filepath.Join(dir, "live.mpd")); string(got) != "two" {
		t.Fatalf("on disk is %q, %v", got, err)
	}
}

func TestCloseTriesOnceMore(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	failing := failDisk(s.disk, syscall.ENOSPC)
	s.disk.retry = time.Hour
	w := start(t, s, "seg-1.m4s")
	push(t, w, []byte("x"))
	if err := w.Close(); !errors.Is(err, ErrUnsaved) {
		t.Fatal(err)
	}
	failing.Store(false)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, "seg-1.m4s")
}

func TestCloseOnAFailingDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	failDisk(s.disk, syscall.ENOSPC)
	w := start(t, s, "seg-1.m4s")
	push(t, w, []byte("x"))
	_ = w.Close()
	if err := s.Close(t.Context()); !errors.Is(err, ErrUnsaved) {
		t.Fatalf("Close: %v", err)
	}
	wantTree(t, dir)
}

// TestSlowDisk holds the disk up and lets it go in the end.
func TestSlowDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	s.disk.patience = 10 * time.Millisecond
	let := make(chan struct{})
	s.disk.write = func(f *os.File, p []byte) (int, error) {
		<-let
		return f.Write(p)
	}
	put(t, s, "live.mpd", []byte("one")) // does not wait for ever
	wantContent(t, s, "live.mpd", []byte("one"))
	put(t, s, "live.mpd", []byte("two"))
	put(t, s, "live.mpd", []byte("three"))
	wantContent(t, s, "live.mpd", []byte("three"))
	if err := s.Delete("seg-9.m4s"); err == nil {
		t.Fatal("deleted what is not there")
	}
	close(let)
	until(t, "it is on disk", func() bool { return s.Stats().Bytes == 0 })
	if got, err := os.ReadFile(filepath.Join(dir, "live.mpd")); string(got) != "three" {
		t.Fatalf("on disk is %q, %v", got, err)
	}
	closeStore(t, s)
	wantTree(t, dir, "live.mpd")
}

// TestOlderVersionIsNeverRenamedOverNewer has the rename of the first version
// wait until the second one is complete.
func TestOlderVersionIsNeverRenamedOverNewer(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	s.disk.patience = 10 * time.Millisecond
	writing, let := make(chan struct{}, 9), make(chan struct{})
	s.disk.write = func(f *os.File, p []byte) (int, error) {
		writing <- struct{}{}
		<-let
		return f.Write(p)
	}
	put(t, s, "seg-1.m4s", []byte("one"))
	<-writing
	put(t, s, "seg-1.m4s", []byte("two"))
	var renamed []string
	s.disk.rename = func(from, to string) error {
		p, err := os.ReadFile(filepath.Join(dir, from))
		renamed = append(renamed, string(p))
		return errors.Join(err, s.disk.root.Rename(from, to))
	}
	close(let)
	until(t, "it is on disk", func() bool { return s.Stats().Bytes == 0 })
	closeStore(t, s)
	if !slices.Equal(renamed, []string{"two"}) {
		t.Fatalf("renamed: %q", renamed)
	}
}

func TestCloseOnAHangingDisk(t *testing.T) {
	s, _ := openDirStore(t, Options{})
	s.disk.patience = time.Millisecond
	let := make(chan struct{})
	s.disk.write = func(f *os.File, p []byte) (int, error) {
		<-let
		return f.Write(p)
	}
	put(t, s, "seg-1.m4s", []byte("x"))
	if err := s.Close(contextThatEnded(t)); !errors.Is(err, errAborted) {
		t.Fatalf("Close: %v", err)
	}
	close(let)
	s.disk.lanes.running.Wait()
}

func TestDiskErrorsAreLoggedRarely(t *testing.T) {
	var log bytes.Buffer
	s, _ := openDirStore(t, Options{Log: textLog(&log)})
	failDisk(s.disk, syscall.ENOSPC)
	s.disk.retry = time.Hour
	for i := range 20 {
		w := start(t, s, seg(i))
		push(t, w, []byte("x"))
		_ = w.Close()
	}
	closeStore(t, s)
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Fatalf("%d lines:\n%s", got, log.String())
	}
}

func TestMemoryWaitsForTheDisk(t *testing.T) {
	s, dir := openDirStore(t, Options{MaxCacheSegs: -9, MaxBytes: 32 << 10})
	writing, let := make(chan struct{}), make(chan struct{})
	s.disk.write = func(f *os.File, p []byte) (int, error) {
		close(writing)
		<-let
		return f.Write(p)
	}
	first, second := start(t, s, seg(1)), start(t, s, seg(2))
	push(t, first, noise(16<<10, 1))
	push(t, second, noise(16<<10, 2))
	saved := make(chan error, 1)
	go func() { saved <- first.Close() }()
	<-writing
	s.disk.write = (*os.File).Write
	more := make(chan error, 1)
	go func() {
		third, err := s.Create(seg(3), Head{Length: 16 << 10})
		if err == nil {
			_, err = third.Write(noise(16<<10, 3))
		}
		if err == nil {
			err = third.Close()
		}
		more <- err
	}()
	until(t, "the third upload is under way", func() bool { return s.Stats().Growing == 2 })
	close(let)
	for _, c := range []chan error{saved, more} {
		if err := <-c; err != nil {
			t.Fatal(err)
		}
	}
	wantTree(t, dir, "v", seg(1), seg(3))
	second.Abort(errAborted)
	if st := s.Stats(); st.EvictedBytes != 0 || st.Bytes != 0 {
		t.Fatalf("stats %+v", st)
	}
}

func TestSaveBeginsAnewWhenItsDirectoryGoes(t *testing.T) {
	s, dir := openDirStore(t, Options{})
	tries := 0
	s.disk.rename = func(from, to string) error {
		tries++
		if tries < 3 {
			if err := os.RemoveAll(filepath.Join(dir, "v")); err != nil {
				t.Error(err)
			}
		}
		return s.disk.root.Rename(from, to)
	}
	put(t, s, seg(1), []byte("x"))
	wantTree(t, dir, "v", seg(1))
	if st := s.Stats(); st.DiskErrors != 0 || tries != 3 {
		t.Fatalf("after %d tries: %+v", tries, st)
	}
}

// TestAHangingDiskDelaysNotEveryUpload: the first to wait in vain tells the
// others.
func TestAHangingDiskDelaysNotEveryUpload(t *testing.T) {
	s, _ := openDirStore(t, Options{MaxCacheSegs: -100})
	hang := make(chan struct{})
	write := s.disk.write
	s.disk.write = func(f *os.File, p []byte) (int, error) { <-hang; return write(f, p) }
	s.disk.patience = 500 * time.Millisecond
	began := time.Now()
	put(t, s, "seg-1.m4s", []byte("x"))
	first := time.Since(began)
	began = time.Now()
	for i := 2; i < 8; i++ {
		put(t, s, fmt.Sprintf("seg-%d.m4s", i), []byte("x"))
	}
	if rest := time.Since(began); rest > first {
		t.Errorf("six more took %v, the first %v", rest, first)
	}
	close(hang)
	until(t, "all are on disk", func() bool { return s.Stats().Bytes == 0 })
	put(t, s, "seg-9.m4s", []byte("x"))
	if s.disk.hangs.Load() {
		t.Error("the disk still counts as hanging")
	}
}

// TestAnOldVersionDoesNotComeBack from disk when the newer one, which the disk
// refused, leaves memory.
func TestAnOldVersionDoesNotComeBack(t *testing.T) {
	s, _ := openDirStore(t, Options{MaxCacheSegs: -100, MaxBytes: 64 << 10})
	put(t, s, "seg-1.m4s", []byte("old"))
	failDisk(s.disk, syscall.EIO)
	for i := 1; i < 8; i++ {
		w := start(t, s, fmt.Sprintf("seg-%d.m4s", i))
		push(t, w, noise(16<<10, uint64(i)))
		_ = w.Close() // the disk fails
	}
	until(t, "the name is gone", func() bool {
		_, err := s.Lookup("seg-1.m4s")
		return err != nil
	})
}
