package segstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

func TestCreateIsReadWhileItGrows(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		w, err := s.Create("a/seg-1.m4s", Head{ContentType: "video/mp4", Length: -1})
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Lookup("a/seg-1.m4s")
		if err != nil || f != w.File() || f.View().State() != Growing {
			t.Fatalf("Lookup of a growing file = %v, %v", f, err)
		}
		r := f.NewReader(0)
		defer r.Close()
		want := noise(200<<10, 1)
		push(t, w, want)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for err == nil {
			var p [][]byte
			p, err = r.Next(t.Context(), nil, 1<<20)
			got = append(got, bytes.Join(p, nil)...)
		}
		if !errors.Is(err, io.EOF) || !bytes.Equal(got, want) {
			t.Fatalf("reader got %d bytes of %d, %v", len(got), len(want), err)
		}
		wantContent(t, s, "a/seg-1.m4s", want)
		now, _ := s.Lookup("a/seg-1.m4s")
		if a, b := f.View(), now.View(); a.ETag() != b.ETag() || !a.ModTime().Equal(b.ModTime()) || b.Head().ContentType != "video/mp4" || now.Kind() != Segment {
			t.Fatalf("the file changed when it was complete: %v %v, %v %v", a.ETag(), a.ModTime(), b.ETag(), b.ModTime())
		}
	})
}

func TestEmptyFile(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "seg-1.m4s", nil)
		wantContent(t, s, "seg-1.m4s", nil)
	})
}

func TestReplace(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "seg-1.m4s", []byte("first"))
		old, _ := s.Lookup("seg-1.m4s")
		body, err := old.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = body.Close() }()
		w := start(t, s, "seg-1.m4s")
		if !w.Replaces() {
			t.Fatal("the upload does not know that it replaces a file")
		}
		push(t, w, []byte("second"))
		if f, err := s.Lookup("seg-1.m4s"); err != nil || f != w.File() {
			t.Fatalf("the newer upload does not have the name: %v, %v", f, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "seg-1.m4s", []byte("second"))
		now, _ := s.Lookup("seg-1.m4s")
		if !now.View().ModTime().After(old.View().ModTime()) || now.View().ETag() == old.View().ETag() {
			t.Fatal("the new version is not told from the old one")
		}
		got := bytes.Join(bodySlices(t, body), nil)
		if string(got) != "first" {
			t.Fatalf("the open body of the old version gives %q", got)
		}
		if s.Stats().Growing != 0 {
			t.Fatalf("stats %+v", s.Stats())
		}
	})
}

func bodySlices(t *testing.T, b *Body) [][]byte {
	t.Helper()
	if f := b.OnDisk(); f != nil {
		p, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{p}
	}
	return b.AppendSlices(nil, 0, b.Size())
}

func TestFirstUploadReplacesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		w := start(t, s, "seg-1.m4s")
		defer w.Abort(errAborted)
		if w.Replaces() {
			t.Fatal("it says that it replaces something")
		}
	})
}

func TestFailedUploadLeavesTheVersionBefore(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "seg-1.m4s", []byte("good"))
		w := start(t, s, "seg-1.m4s")
		push(t, w, []byte("bad"))
		w.Abort(errAborted)
		wantContent(t, s, "seg-1.m4s", []byte("good"))
		w = start(t, s, "seg-2.m4s")
		push(t, w, []byte("bad"))
		w.Abort(errAborted)
		wantMissing(t, s, "seg-2.m4s", Next) // its encoder may try again
		if got := s.Stats(); got.FailedUploads != 2 || got.Growing != 0 || got.Files != 1 {
			t.Fatalf("stats %+v", got)
		}
	})
}

func TestManifestIsSeenOnlyWhole(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		w := start(t, s, "live.mpd")
		push(t, w, []byte("<MPD>"))
		wantMissing(t, s, "live.mpd", Never)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "live.mpd", []byte("<MPD>"))
		w = start(t, s, "live.mpd")
		push(t, w, []byte("<MPD2>"))
		wantContent(t, s, "live.mpd", []byte("<MPD>"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "live.mpd", []byte("<MPD2>"))
	})
}

func TestOlderManifestDoesNotReplaceNewer(t *testing.T) {
	for _, p := range []Policy{Overwrite, FirstWins, FirstCompleteWins} {
		eachStore(t, func(t *testing.T, open func(Options) *Store) {
			s := open(Options{Policy: p})
			put(t, s, "live.mpd", []byte("0"))
			older, newer := start(t, s, "live.mpd"), start(t, s, "live.mpd")
			push(t, older, []byte("older"))
			push(t, newer, []byte("newer"))
			if err := newer.Close(); err != nil {
				t.Fatal(err)
			}
			if err := older.Close(); err != nil {
				t.Fatal(err)
			}
			wantContent(t, s, "live.mpd", []byte("newer"))
		})
	}
}

func TestDelete(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "a/b/seg-1.m4s", []byte("x"))
		if err := s.Delete("a/b/seg-1.m4s"); err != nil {
			t.Fatal(err)
		}
		if got := here(s, "a/b/seg-1.m4s"); got != nil {
			t.Fatal("still there")
		}
		var missing *MissingError
		if err := s.Delete("a/b/seg-1.m4s"); !errors.As(err, &missing) {
			t.Fatalf("second Delete: %v", err)
		}
		put(t, s, "a/b/seg-1.m4s", []byte("y"))
		wantContent(t, s, "a/b/seg-1.m4s", []byte("y"))
	})
}

func TestDeleteCutsAnUploadOff(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "seg-1.m4s", []byte("before"))
		w := start(t, s, "seg-1.m4s")
		push(t, w, []byte("one "))
		if err := s.Delete("seg-1.m4s"); err != nil {
			t.Fatal(err)
		}
		if got := here(s, "seg-1.m4s"); got != nil {
			t.Fatal("still there")
		}
		later := start(t, s, "seg-1.m4s")
		push(t, w, []byte("two"))
		if err := w.Close(); !errors.Is(err, ErrDeleted) {
			t.Fatalf("Close: %v", err)
		}
		if got, err := readAll(t.Context(), w.File(), 0); err != nil || string(got) != "one two" {
			t.Fatalf("its readers got %q, %v", got, err)
		}
		push(t, later, []byte("later"))
		if err := later.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "seg-1.m4s", []byte("later"))
	})
}

func TestBadNames(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		for _, name := range []string{"", "/a", "../a", "a/.hw-1.tmp", "a\x00"} {
			_, err1 := s.Create(name, Head{})
			_, err2 := s.Lookup(name)
			_, err3 := s.Await(t.Context(), name)
			for i, err := range []error{err1, err2, err3, s.Delete(name)} {
				if !errors.Is(err, ErrName) {
					t.Errorf("%q, call %d: %v", name, i, err)
				}
			}
		}
	})
}

func TestClosedStore(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		b := NewBudget(1 << 20)
		s := open(Options{Budget: b})
		put(t, s, "seg-1.m4s", []byte("x"))
		w := start(t, s, "seg-2.m4s")
		push(t, w, []byte("y"))
		waits := make(chan error, 1)
		go func() {
			_, err := s.Await(context.Background(), "seg-3.m4s")
			waits <- err
		}()
		until(t, "a waiter", func() bool { return s.Stats().Waiters == 1 })
		closeStore(t, s)
		if err := <-waits; !errors.Is(err, ErrClosed) {
			t.Fatalf("Await: %v", err)
		}
		if _, err := s.Create("seg-3.m4s", Head{}); !errors.Is(err, ErrClosed) {
			t.Fatalf("Create: %v", err)
		}
		if err := s.Delete("seg-1.m4s"); !errors.Is(err, ErrClosed) {
			t.Fatalf("Delete: %v", err)
		}
		w.Abort(errAborted)
		if s.Stats().Bytes != 0 || b.Used() != 0 {
			t.Fatalf("%d bytes, %d of the budget are still taken", s.Stats().Bytes, b.Used())
		}
	})
}

// TestANameNeverVanishes replaces a file again and again: at no moment may it
// look missing, or empty before the first byte of its next version is there.
func TestANameNeverVanishes(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: 1})
		put(t, s, "seg-1.m4s", []byte("some bytes"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 200 {
				w, err := s.Create("seg-1.m4s", Head{Length: -1})
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = w.Write([]byte("some bytes"))
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		for lookups := 0; ; lookups++ {
			if _, err := s.Lookup("seg-1.m4s"); err != nil {
				t.Fatalf("lookup %d: %v", lookups, err)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
}
