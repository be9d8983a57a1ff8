package sending

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/segstore"
)

// TestFolder: what is in a directory is sent, what comes to it is sent while it
// grows, and what is deleted there is deleted at the far end. Stopping ends it,
// without an error when all has arrived.
func TestFolder(t *testing.T) {
	f := newFar(t, 201)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("clip.bin", "before")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "clip.bin"), old, old); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Src: dir, Log: quiet(), To: []push.Destination{{URL: f.URL + "/live/", KA: true}}})
	}()
	f.await(t, "PUT /live/clip.bin", "before")

	seg, err := os.Create(filepath.Join(dir, "seg-1.aac.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = seg.Close() }() // again, if all went well
	for text := ""; len(text) < 30; {
		text += "some bytes"
		if _, err := seg.WriteString("some bytes"); err != nil {
			t.Fatal(err)
		}
		f.await(t, "PUT /live/seg-1.aac", text)
	}
	if err := seg.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(seg.Name(), filepath.Join(dir, "seg-1.aac")); err != nil {
		t.Fatal(err)
	}
	write("live.m3u8", "#EXTM3U\n")
	f.await(t, "PUT /live/live.m3u8", "#EXTM3U\n")
	if err := os.Remove(filepath.Join(dir, "clip.bin")); err != nil {
		t.Fatal(err)
	}
	f.awaitWhole(t, "DELETE /live/clip.bin")
	f.awaitWhole(t, "PUT /live/seg-1.aac")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestFolderNeedsADirectory: there is no one name for all of a directory.
func TestFolderNeedsADirectory(t *testing.T) {
	err := Run(t.Context(), Options{Src: t.TempDir(), Log: quiet(), To: []push.Destination{{URL: "http://127.0.0.1:1/live"}}})
	if err == nil || !strings.Contains(err.Error(), "ends with a slash") {
		t.Error(err)
	}
}

// TestFolderSinkForgets: that a file was there before the start is not said of a
// later one of its name, even if the first came to nothing.
func TestFolderSinkForgets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.mpd"), []byte("<MPD/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	pusher, err := push.New([]push.Destination{{URL: "http://127.0.0.1:1/"}}, push.Options{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := segstore.Open(segstore.Options{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	sink := &folderSink{Store: store, ctx: t.Context(), dir: dir, pusher: pusher, old: make(map[string]bool)}
	create := func(began time.Time) error {
		sink.began = began
		w, err := sink.Create("a.mpd", segstore.Head{Length: -1})
		if err == nil {
			w.Abort(os.ErrInvalid) // of a manifest that did not come about nothing is told
		}
		return err
	}
	later, earlier := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	if err := create(later); err != nil || !sink.wasOld("a.mpd") {
		t.Fatalf("it was there before: %v", err)
	}
	if err := errors.Join(create(later), create(earlier)); err != nil || sink.wasOld("a.mpd") {
		t.Errorf("a new one counts as old: %v", err)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := create(later); err == nil || sink.wasOld("a.mpd") {
		t.Errorf("what was not taken is remembered: %v", err)
	}
}
