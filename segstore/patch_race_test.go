package segstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestPatchesAtOnce appends records from several goroutines, each again until
// it succeeds. None may be lost, and readers see whole ones only.
func TestPatchesAtOnce(t *testing.T) {
	const writers, each = 4, 15
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "log.txt", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wg, readers sync.WaitGroup
		var want []string
		for g := range writers {
			for i := range each {
				want = append(want, fmt.Sprintf("%03d-%03d;", g, i))
			}
			wg.Go(func() {
				for i := range each {
					if err := appendUntilDone(ctx, s, fmt.Sprintf("%03d-%03d;", g, i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		stop := make(chan struct{})
		readers.Go(func() { readRecords(t, s, stop) })
		wg.Wait()
		close(stop)
		readers.Wait()
		got := records(content(t, s, "log.txt"))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%d records, want %d", len(got), len(want))
		}
	})
}

func appendUntilDone(ctx context.Context, s *Store, record string) error {
	for ctx.Err() == nil {
		f, err := s.Lookup("log.txt")
		if err != nil {
			return err
		}
		v := f.View()
		p, err := s.Patch("log.txt", Change{Spans: []Span{{v.Size(), ToEnd}}, ETag: v.ETag()})
		if errors.Is(err, ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := p.Write([]byte(record)); err != nil {
			p.Abort(err)
			return err
		}
		if err := p.Close(); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return ctx.Err()
}

func records(b []byte) (all []string) {
	for p := range slices.Chunk(b, 8) {
		all = append(all, string(p))
	}
	return all
}

func readRecords(t *testing.T, s *Store, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		f, err := s.Lookup("log.txt")
		if err != nil {
			t.Error(err)
			return
		}
		got, err := bodyOf(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // replaced before it was opened
		}
		if err != nil || len(got)%8 != 0 || int64(len(got)) != f.View().Size() {
			t.Errorf("%d bytes of %d, %v", len(got), f.View().Size(), err)
			return
		}
	}
}

// TestPatchesAmongEverything patches while names are uploaded and deleted.
func TestPatchesAmongEverything(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		b := NewBudget(8 << 20)
		s := open(Options{MaxCacheSegs: -2, Budget: b, MaxBytes: 4 << 20})
		c := &chaos{t: t, s: s, ids: make(chan uint64, 1000), names: []string{seg(1), seg(2), "v/init.mp4", "live.mpd", "f.bin"}}
		for id := range uint64(1000) {
			c.ids <- id
		}
		same := func() { // writes the bytes that are there
			name := c.name()
			f, err := s.Lookup(name)
			if err != nil || f.View().State() != Complete {
				return
			}
			body, err := bodyOf(f)
			if err != nil || len(body) == 0 {
				return
			}
			p, err := s.Patch(name, Change{Spans: []Span{{0, int64(len(body))}}, ETag: f.View().ETag()})
			if err != nil {
				return
			}
			if _, err := p.Write(body); err != nil {
				p.Abort(err)
				return
			}
			if err := p.Close(); err != nil && !errors.Is(err, ErrChanged) {
				t.Error(err)
			}
		}
		var wg sync.WaitGroup
		for _, do := range []func(){c.upload, c.upload, c.read, c.read, c.remove, same, same} {
			wg.Go(func() {
				for range 100 {
					do()
				}
			})
		}
		wg.Wait()
		c.checkEmpty(b)
	})
}

func TestPatchWithinTheBudget(t *testing.T) {
	s := openStore(t, Options{MaxBytes: 256 << 10, MaxCacheSegs: 9})
	old := noise(100<<10, 1)
	put(t, s, "f.bin", old)
	put(t, s, "other.bin", noise(100<<10, 2))
	p, err := s.Patch("f.bin", Change{Spans: []Span{{50 << 10, ToEnd}}}) // which evicts the other
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Write(noise(150<<10, 3))
	if !errors.Is(err, ErrOverBudget) {
		t.Fatalf("Write: %v", err)
	}
	if err := p.Close(); !errors.Is(err, ErrOverBudget) {
		t.Fatalf("Close: %v", err)
	}
	wantContent(t, s, "f.bin", old)
	wantMissing(t, s, "other.bin", Never)
	if st := s.Stats(); st.Bytes != 100<<10 {
		t.Fatalf("stats %+v", st)
	}
	if _, err := s.Patch("f.bin", Change{Spans: []Span{{0, 200 << 10}}}); !errors.Is(err, ErrOverBudget) {
		t.Fatalf("a patch that can never fit: %v", err)
	}
	put(t, s, "big.bin", noise(200<<10, 4)) // the file may be evicted again
	wantMissing(t, s, "f.bin", Never)
}

// TestPatchesThatFailTogether leave the file in the queue once.
func TestPatchesThatFailTogether(t *testing.T) {
	s := openStore(t, Options{})
	put(t, s, "f.bin", []byte("old"))
	var all []*PatchWriter
	for range 2 {
		p, err := s.Patch("f.bin", Change{Spans: []Span{{0, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if n := s.queue.media.Len(); n != 0 {
		t.Fatalf("%d files may be evicted", n)
	}
	for _, p := range all {
		p.Abort(errAborted)
	}
	if n := s.queue.media.Len(); n != 1 {
		t.Fatalf("the file is queued %d times", n)
	}
}

func TestPatchOfAnInitSegmentSurvives(t *testing.T) {
	o := Options{StateDir: t.TempDir()}
	s := openStore(t, o)
	put(t, s, "v/init.mp4", []byte("old"))
	if err := patch(s, "v/init.mp4", "abc", Span{1, 4}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	wantContent(t, openStore(t, o), "v/init.mp4", []byte("oabc"))
}

func TestPatchedFileIsEvictedInItsTurn(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -2})
		put(t, s, seg(1), []byte("one"))
		put(t, s, seg(2), []byte("two"))
		if err := patch(s, seg(1), "ONE", Span{0, 3}); err != nil {
			t.Fatal(err)
		}
		put(t, s, seg(3), []byte("three"))
		wantMissing(t, s, seg(1), Evicted)
		if got := here(s, seg(2), seg(3)); len(got) != 2 {
			t.Fatalf("left: %q", got)
		}
		if !bytes.Equal(content(t, s, seg(2)), []byte("two")) {
			t.Fatal("another file was changed")
		}
	})
}
