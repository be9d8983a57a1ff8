package segstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMaxCacheSegsLimit(t *testing.T) {
	const minInt = -1 << 63
	for _, tc := range []struct{ n, depth, memory, disk int }{
		// n, time-shift depth: kept in memory, kept on disk (0: all)
		{0, 0, 1, 0},
		{0, 3, 1, 0},
		{5, 0, 5, 0},
		{5, 3, 3, 5},
		{5, 8, 5, 8},
		{-5, 0, 5, 5},
		{-5, 3, 3, 5},
		{-5, 8, 5, 5},
		{1, 1, 1, 1},
		{5, -1, 5, 0},
		{minInt, 3, 3, 1<<63 - 1},
	} {
		o := Options{MaxCacheSegs: tc.n, Depth: func(string) int { return tc.depth }}
		if got := o.limit("x"); got != tc.memory {
			t.Errorf("N %d, depth %d: memory keeps %d, want %d", tc.n, tc.depth, got, tc.memory)
		}
		o.Dir = "x"
		if got := o.limit("x"); got != tc.disk {
			t.Errorf("N %d, depth %d: disk keeps %d, want %d", tc.n, tc.depth, got, tc.disk)
		}
	}
	if got := (&Options{}).limit("x"); got != 1 {
		t.Errorf("without a depth: %d", got)
	}
}

func TestMaxCacheSegs(t *testing.T) {
	for _, tc := range []struct{ n, depth, memory, disk int }{
		{0, 0, 1, 9}, {3, 0, 3, 9}, {3, 2, 2, 3}, {3, 5, 3, 5}, {-3, 0, 3, 3}, {-3, 2, 2, 3}, {-3, 5, 3, 3},
	} {
		for _, on := range []string{"memory", "directory"} {
			t.Run(fmt.Sprintf("%s/%d/%d", on, tc.n, tc.depth), func(t *testing.T) {
				var asked []string
				o := Options{MaxCacheSegs: tc.n, Depth: func(track string) int { asked = append(asked, track); return tc.depth }}
				want := tc.memory
				if on == "directory" {
					o.Dir, want = t.TempDir(), tc.disk
				}
				s := openStore(t, o)
				keepsNewest(t, s, want)
				if !slices.Contains(asked, "v/seg-$Number$.m4s") {
					t.Errorf("the depth was asked of %q", asked)
				}
			})
		}
	}
}

// keepsNewest uploads nine segments, and a tenth in part, beside an init
// segment, a manifest and a second track, and checks what is left.
func keepsNewest(t *testing.T, s *Store, want int) {
	t.Helper()
	put(t, s, "v/init.mp4", []byte("init"))
	put(t, s, "v/other-1.m4s", []byte("other track"))
	for i := 1; i <= 9; i++ {
		put(t, s, seg(i), []byte(seg(i)))
		put(t, s, "live.mpd", []byte("mpd"))
	}
	w := start(t, s, seg(10))
	push(t, w, []byte("x"))
	defer w.Abort(errAborted)
	for i := 1; i <= 10; i++ {
		if got := here(s, seg(i)) != nil; got != (i > 9-want) {
			t.Errorf("segment %d is there: %v, of %d to keep", i, got, want)
		}
	}
	if want < 9 {
		wantMissing(t, s, seg(1), Evicted)
		if got := s.Stats().EvictedCount; got != int64(9-want) {
			t.Errorf("%d counted as evicted, want %d", got, 9-want)
		}
	}
	if got := here(s, "v/init.mp4", "v/other-1.m4s", "live.mpd"); len(got) != 3 {
		t.Errorf("of what is kept there is only %v", got)
	}
}

func TestEvictedFileIsReadToItsEnd(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -1})
		want := noise(300<<10, 3)
		w := start(t, s, seg(1))
		r := w.File().NewReader(0)
		push(t, w, want)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := s.Lookup(seg(1))
		if err != nil {
			t.Fatal(err)
		}
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Try(nil, 1000); err != nil {
			t.Fatal(err)
		}
		put(t, s, seg(2), []byte("x"))
		wantMissing(t, s, seg(1), Evicted)
		if got := bytes.Join(bodySlices(t, body), nil); !bytes.Equal(got, want) {
			t.Fatalf("the open body gives %d bytes of %d", len(got), len(want))
		}
		p, err := r.Try(nil, 1<<30)
		if err != nil || !bytes.Equal(bytes.Join(p, nil), want[1000:]) {
			t.Fatalf("the reader got something else, %v", err)
		}
		if got := s.Stats().Bytes; got < int64(len(want)) {
			t.Fatalf("%d bytes on the books while %d are being read", got, len(want))
		}
		r.Close()
		if err := body.Close(); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats().Bytes; got > leastCost { // of the small file that is left
			t.Fatalf("%d bytes on the books after all is read", got)
		}
	})
}

func TestByteBudgetEvictsTheOldest(t *testing.T) {
	s := openStore(t, Options{MaxCacheSegs: -100, MaxBytes: 100 << 10})
	put(t, s, "v/init.mp4", noise(10<<10, 1))
	put(t, s, "live.mpd", noise(10<<10, 1))
	for i := range 20 {
		put(t, s, seg(i), noise(16<<10, uint64(i)))
		if got := s.Stats().Bytes; got > 100<<10 {
			t.Fatalf("%d bytes", got)
		}
	}
	want := []string{"v/init.mp4", "live.mpd", seg(15), seg(16), seg(17), seg(18), seg(19)}
	var names []string
	for i := range 20 {
		names = append(names, seg(i))
	}
	if got := here(s, append(want[:2:2], names...)...); !slices.Equal(got, want) {
		t.Fatalf("left: %v", got)
	}
	if got := s.Stats(); got.EvictedBytes != 15 || got.EvictedCount != 0 {
		t.Fatalf("stats %+v", got)
	}
	wantMissing(t, s, seg(3), Evicted)
}

func TestByteBudgetIsUsedUp(t *testing.T) {
	s := openStore(t, Options{MaxBytes: 64 << 10})
	put(t, s, "init.mp4", noise(16<<10, 1))
	put(t, s, seg(1), noise(32<<10, 1))
	w := start(t, s, seg(2))
	_, err := w.Write(noise(100<<10, 2))
	if !errors.Is(err, ErrOverBudget) {
		t.Fatalf("Write beyond the budget: %v", err)
	}
	if got := here(s, "init.mp4", seg(1)); !slices.Equal(got, []string{"init.mp4"}) {
		t.Fatalf("left: %v", got)
	}
	w.Abort(err)
	if got := s.Stats().Bytes; got != 16<<10 {
		t.Fatalf("%d bytes on the books", got)
	}
}

func TestDeadStreamsGoLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, Options{MaxBytes: 64 << 10, LivingFor: time.Minute})
		put(t, s, "dead/init.mp4", noise(16<<10, 1))
		put(t, s, "dead/live.mpd", noise(16<<10, 1))
		time.Sleep(2 * time.Minute)
		put(t, s, "live/init.mp4", noise(16<<10, 1))
		put(t, s, "live/seg-1.m4s", noise(16<<10, 1))
		all := []string{"dead/init.mp4", "dead/live.mpd", "live/init.mp4", "live/seg-1.m4s", "live/seg-2.m4s"}
		put(t, s, "live/seg-2.m4s", noise(16<<10, 1))
		if got := here(s, all...); strings.Join(got, " ") != "dead/init.mp4 dead/live.mpd live/init.mp4 live/seg-2.m4s" {
			t.Fatalf("first left: %v", got)
		}
		w, w2 := start(t, s, "live/seg-3.m4s"), start(t, s, "live/seg-4.m4s")
		push(t, w, noise(16<<10, 1))
		push(t, w2, noise(16<<10, 1))
		if got := here(s, all...); strings.Join(got, " ") != "dead/live.mpd live/init.mp4" {
			t.Fatalf("then left: %v", got)
		}
		w.Abort(errAborted)
		w2.Abort(errAborted)
		closeStore(t, s)
	})
}

func TestSharedBudget(t *testing.T) {
	b := NewBudget(64 << 10)
	one := openStore(t, Options{MaxCacheSegs: 9, Budget: b})
	two := openStore(t, Options{MaxCacheSegs: 9, Budget: b})
	put(t, one, seg(1), noise(16<<10, 1))
	put(t, two, seg(2), noise(16<<10, 1))
	put(t, one, seg(3), noise(16<<10, 1))
	put(t, two, seg(4), noise(16<<10, 1))
	if b.Used() != 64<<10 {
		t.Fatalf("%d bytes used", b.Used())
	}
	put(t, two, seg(5), noise(16<<10, 1))
	put(t, two, seg(6), noise(16<<10, 1))
	if got := here(one, seg(1), seg(3)); !slices.Equal(got, []string{seg(3)}) {
		t.Fatalf("one has %v", got)
	}
	if got := here(two, seg(2), seg(4), seg(5), seg(6)); len(got) != 3 {
		t.Fatalf("two has %v", got)
	}
	if one.Stats().Bytes != 16<<10 || two.Stats().Bytes != 48<<10 {
		t.Fatalf("%d and %d bytes", one.Stats().Bytes, two.Stats().Bytes)
	}
	closeStore(t, two)
	if b.Used() != 16<<10 {
		t.Fatalf("%d bytes used after one of two has closed", b.Used())
	}
}

// TestBooksReturnToZero puts files through all their ends.
func TestBooksReturnToZero(t *testing.T) {
	for _, policy := range []Policy{Overwrite, FirstWins, FirstCompleteWins} {
		eachStore(t, func(t *testing.T, open func(Options) *Store) {
			b := NewBudget(1 << 30)
			s := open(Options{MaxCacheSegs: -2, Budget: b, Policy: policy})
			names := []string{"live.mpd", "init.mp4", "v1.mp4", seg(1), seg(2), seg(3), seg(4)}
			var readers []*Reader
			for i, name := range names {
				first, second := start(t, s, name), start(t, s, name)
				push(t, first, noise(1000*i, 1))
				push(t, second, noise(70000, 1))
				r := first.File().NewReader(0)
				readers = append(readers, r)
				switch i % 3 {
				case 0:
					first.Abort(errAborted)
					_ = second.Close()
				case 1:
					_ = second.Close()
					_ = first.Close()
				default:
					_ = first.Close()
					second.Abort(errAborted)
				}
			}
			for _, name := range names {
				var missing *MissingError
				if err := s.Delete(name); err != nil && !errors.As(err, &missing) {
					t.Fatal(err)
				}
			}
			st := s.Stats()
			if held := b.Used(); held != st.Bytes || held == 0 {
				t.Fatalf("%d bytes used, stats %+v", held, st)
			}
			if st.Files != 0 || st.Growing != 0 {
				t.Fatalf("stats %+v", st)
			}
			for _, r := range readers {
				r.Close()
			}
			if held := b.Used(); held != 0 || s.Stats().Bytes != 0 {
				t.Fatalf("in the end %d bytes used, stats %+v", held, s.Stats())
			}
		})
	}
}

func TestArrivalIsTheBeginning(t *testing.T) {
	s := openStore(t, Options{MaxCacheSegs: -9, MaxBytes: 48 << 10})
	older, newer := start(t, s, seg(1)), start(t, s, seg(2))
	push(t, newer, noise(16<<10, 1))
	push(t, older, noise(16<<10, 1))
	for _, w := range []*Writer{newer, older} {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, seg(3), noise(16<<10, 1))
	put(t, s, seg(4), noise(16<<10, 1))
	if got := here(s, seg(1), seg(2), seg(3), seg(4)); !slices.Equal(got, []string{seg(2), seg(3), seg(4)}) {
		t.Fatalf("left: %v", got)
	}
	if n := len(s.tracks.byKey["v/seg-$Number$.m4s"].slots); n != 3 {
		t.Fatalf("the track has %d segments", n)
	}
}

func TestSmallFilesAreBounded(t *testing.T) {
	for size := range 2 {
		s := openStore(t, Options{MaxBytes: 64 << 10})
		for i := range 1000 {
			put(t, s, fmt.Sprintf("file%c%d.txt", 'a'+i%26, i), make([]byte, size))
		}
		if n := s.Stats().Files; n > 128 {
			t.Errorf("%d files of %d bytes fit in 64 KiB", n, size)
		}
	}
}

// TestWhatCannotFitEvictsNothing announces more than the budget has.
func TestWhatCannotFitEvictsNothing(t *testing.T) {
	for name, o := range map[string]Options{
		"store":  {MaxCacheSegs: 9, MaxBytes: 100_000},
		"shared": {MaxCacheSegs: 9, Budget: NewBudget(100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, o)
			put(t, s, "seg-1.m4s", make([]byte, 1000))
			if _, err := s.Create("big-1.m4s", Head{Length: 100_001}); !errors.Is(err, ErrOverBudget) {
				t.Errorf("create: %v", err)
			}
			if _, err := s.Lookup("seg-1.m4s"); err != nil {
				t.Errorf("the segment that was there: %v", err)
			}
			put(t, s, "big-2.m4s", make([]byte, 60_000)) // what fits still comes in
		})
	}
}

// TestWhatIsReadGoesLast: to evict a file that is read frees nothing.
func TestWhatIsReadGoesLast(t *testing.T) {
	s := openStore(t, Options{MaxCacheSegs: 100, MaxBytes: 160 << 10})
	for i := range 10 {
		put(t, s, fmt.Sprintf("seg-%d.m4s", i), noise(16<<10, uint64(i)))
	}
	for i := range 9 {
		f, err := s.Lookup(fmt.Sprintf("seg-%d.m4s", i))
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = b.Close() }()
	}
	put(t, s, "seg-10.m4s", []byte("x"))
	for i := range 9 {
		if _, err := s.Lookup(fmt.Sprintf("seg-%d.m4s", i)); err != nil {
			t.Errorf("one that is read went: %v", err)
		}
	}
}
