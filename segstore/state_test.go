package segstore

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// contextThatEnded returns one whose cause is errAborted.
func contextThatEnded(t *testing.T) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errAborted)
	return ctx
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestInitSegmentsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	b := NewBudget(1 << 20)
	s := openStore(t, Options{StateDir: dir})
	put(t, s, "a/init-stream0.m4s", []byte("init"))
	byContent := cat(box("ftyp", 8), box("moov", 50))
	put(t, s, "a/v1.mp4", byContent)
	put(t, s, "a/seg-1.m4s", []byte("segment"))
	put(t, s, "a/live.mpd", []byte("manifest"))
	old, _ := s.Lookup("a/v1.mp4")
	closeStore(t, s)
	wantTree(t, dir, "a", "a/init-stream0.m4s", "a/v1.mp4")
	write(t, dir, "a/.hw-x.tmp", "left")

	s = openStore(t, Options{StateDir: dir, Budget: b})
	wantContent(t, s, "a/init-stream0.m4s", []byte("init"))
	wantContent(t, s, "a/v1.mp4", byContent)
	f, _ := s.Lookup("a/v1.mp4")
	if f.Kind() != Init || f.View().ETag() != old.View().ETag() {
		t.Fatalf("after the restart it is %v, %s, before %s", f.Kind(), f.View().ETag(), old.View().ETag())
	}
	if got := b.Used(); got != int64(4+len(byContent)) {
		t.Fatalf("%d bytes used", got)
	}
	wantTree(t, dir, "a", "a/init-stream0.m4s", "a/v1.mp4")
	put(t, s, "a/init-stream0.m4s", []byte("newer"))
	if got, _ := os.ReadFile(filepath.Join(dir, "a", "init-stream0.m4s")); string(got) != "newer" {
		t.Fatalf("kept: %q", got)
	}
	for _, name := range []string{"a/init-stream0.m4s", "a/v1.mp4"} {
		if err := s.Delete(name); err != nil {
			t.Fatal(err)
		}
	}
	wantTree(t, dir)
	if b.Used() != 0 {
		t.Fatalf("%d bytes used", b.Used())
	}
}

func TestFailingStateDirIsNoErrorToTheEncoder(t *testing.T) {
	s := openStore(t, Options{StateDir: t.TempDir()})
	failing := failDisk(s.state, syscall.ENOSPC)
	put(t, s, "init.mp4", []byte("init"))
	wantContent(t, s, "init.mp4", []byte("init"))
	if st := s.Stats(); st.DiskErrors == 0 || st.DiskUnsaved != 1 {
		t.Fatalf("stats %+v", st)
	}
	failing.Store(false)
	until(t, "it is kept", func() bool { return s.Stats().DiskUnsaved == 0 })
}
