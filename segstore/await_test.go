package segstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// awaited is what an Await returned.
type awaited struct {
	f   *File
	err error
}

// await calls Await in a goroutine and returns once it waits.
func await(ctx context.Context, t *testing.T, s *Store, name string) <-chan awaited {
	t.Helper()
	before := s.Stats().Waiters
	c := make(chan awaited, 1)
	go func() {
		f, err := s.Await(ctx, name)
		c <- awaited{f, err}
	}()
	until(t, "a waiter", func() bool { return s.Stats().Waiters > before })
	return c
}

func TestAwaitGetsTheGrowingFile(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		one, two := await(t.Context(), t, s, "seg-1.m4s"), await(t.Context(), t, s, "seg-1.m4s")
		wantMissing(t, s, "seg-1.m4s", Never) // a Pending file is not seen
		w := start(t, s, "seg-1.m4s")
		for _, c := range []<-chan awaited{one, two} {
			if got := <-c; got.err != nil || got.f != w.File() || got.f.View().State() != Growing {
				t.Fatalf("Await = %v, %v", got.f, got.err)
			}
		}
		push(t, w, []byte("x"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if f, err := s.Await(t.Context(), "seg-1.m4s"); err != nil || f.View().State() != Complete {
			t.Fatalf("Await of what is there = %v, %v", f, err)
		}
		until(t, "no waiters", func() bool { return s.Stats().Waiters == 0 })
	})
}

func TestAwaitOfAManifestGetsItWhole(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		c := await(t.Context(), t, s, "live.m3u8")
		w := start(t, s, "live.m3u8")
		push(t, w, []byte("#EXTM3U"))
		select {
		case got := <-c:
			t.Fatalf("Await returned %v while the manifest grew", got)
		default:
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-c; got.err != nil || got.f.View().State() != Complete {
			t.Fatalf("Await = %v, %v", got.f, got.err)
		}
	})
}

func TestAwaitOutlivesAFailedUpload(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		c := await(t.Context(), t, s, "live.mpd")
		start(t, s, "live.mpd").Abort(errAborted)
		put(t, s, "live.mpd", []byte("ok"))
		if got := <-c; got.err != nil || got.f.View().State() != Complete {
			t.Fatalf("Await = %v, %v", got.f, got.err)
		}
	})
}

func TestAwaitIsBounded(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxWaiters: 2})
		ctx, cancel := context.WithCancelCause(t.Context())
		a, b := await(ctx, t, s, "x"), await(ctx, t, s, "y")
		if _, err := s.Await(ctx, "z"); !errors.Is(err, ErrTooManyWaiters) {
			t.Fatalf("third Await: %v", err)
		}
		cancel(errAborted)
		for _, c := range []<-chan awaited{a, b} {
			if got := <-c; !errors.Is(got.err, errAborted) {
				t.Fatalf("Await = %v, %v", got.f, got.err)
			}
		}
		if st := s.Stats(); st.Waiters != 0 || st.Files != 0 {
			t.Fatalf("stats %+v", st)
		}
		for i := range s.reg.shards {
			if n := len(s.reg.shards[i].entries); n != 0 {
				t.Fatalf("%d entries are left of who waited", n)
			}
		}
	})
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err := s.Await(ctx, "seg-1.m4s")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		closeStore(t, s)
	})
}

func TestAwaitOfAShadowThatIsPromoted(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{Policy: FirstWins})
		first := start(t, s, "seg-1.m4s")
		second := start(t, s, "seg-1.m4s")
		first.Abort(errAborted)
		f, err := s.Await(t.Context(), "seg-1.m4s")
		if err != nil || f != second.File() {
			t.Fatalf("Await = %v, %v", f, err)
		}
		second.Abort(errAborted)
	})
}

func TestAwaitSleepsWhileAManifestGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, Options{})
		c := await(t.Context(), t, s, "live.mpd")
		w := start(t, s, "live.mpd")
		push(t, w, []byte("<MPD>"))
		synctest.Wait()
		if len(c) != 0 {
			t.Fatal("Await returned a manifest that grows")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-c; got.f != w.File() {
			t.Fatalf("Await = %v, %v", got.f, got.err)
		}
		closeStore(t, s)
	})
}
