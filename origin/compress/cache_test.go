package compress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errLoad = errors.New("the disk failed")

func key(i int) Key { return Key{Space: "s", Name: fmt.Sprintf("f%03d.mpd", i), ETag: `"1"`} }

// until waits for a condition, with a bound.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// source counts how often a file is loaded.
type source struct {
	data  []byte
	err   error
	loads atomic.Int64
}

func (s *source) load() ([]byte, error) {
	s.loads.Add(1)
	return s.data, s.err
}

func (s *source) want(t *testing.T, loads int64) {
	t.Helper()
	if got := s.loads.Load(); got != loads {
		t.Fatalf("loaded %d times, want %d", got, loads)
	}
}

// get gets a file that is a manifest.
func get(t *testing.T, c *Cache, k Key, coding string, s *source) []byte {
	t.Helper()
	got, err := c.Get(t.Context(), k, coding, s.load)
	if err != nil {
		t.Errorf("get %s: %v", k.Name, err)
		return make([]byte, 1)
	}
	if plain, err := decode(coding, got); err != nil || !bytes.Equal(plain, s.data) {
		t.Errorf("%s: %d bytes of %d, %v", k.Name, len(plain), len(s.data), err)
	}
	return got
}

func TestGetOnceForAVersionAndACoding(t *testing.T) {
	c, s := New(1<<20), &source{data: manifest(100)}
	first := get(t, c, key(1), Gzip, s)
	if again := get(t, c, key(1), Gzip, s); &again[0] != &first[0] {
		t.Error("the bytes were copied")
	}
	s.want(t, 1)
	get(t, c, key(1), Zstd, s)
	s.want(t, 2)
	for i, k := range []Key{{"s", "f001.mpd", `"2"`}, {"s", "f002.mpd", `"1"`}, {"t", "f001.mpd", `"1"`}} {
		get(t, c, k, Gzip, s)
		s.want(t, int64(i+3))
	}
}

func TestTenThousandShareOne(t *testing.T) {
	c, s := New(1<<20), &source{data: manifest(1000)}
	begin := make(chan struct{})
	load := func() ([]byte, error) {
		<-begin
		return s.load()
	}
	var wg sync.WaitGroup
	var first atomic.Pointer[byte]
	var waiting atomic.Int64
	for range 10000 {
		wg.Go(func() {
			waiting.Add(1)
			got, err := c.Get(t.Context(), key(1), Gzip, load)
			if err != nil {
				t.Error(err)
				return
			}
			if !first.CompareAndSwap(nil, &got[0]) && first.Load() != &got[0] {
				t.Error("another copy")
			}
		})
	}
	until(t, "all ask", func() bool { return waiting.Load() == 10000 })
	close(begin)
	wg.Wait()
	s.want(t, 1)
}

func TestNotSmallerIsRemembered(t *testing.T) {
	c, s := New(1<<20), &source{data: noise(5000)}
	for range 3 {
		if got, err := c.Get(t.Context(), key(1), Zstd, s.load); !errors.Is(err, ErrNotSmaller) || got != nil {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	s.want(t, 1)
	if u := c.Used(); u <= 0 || u > 1000 {
		t.Errorf("%d bytes for that", u)
	}
}

func TestFailedLoadIsNotRemembered(t *testing.T) {
	c, s := New(1<<20), &source{err: errLoad, data: manifest(9)}
	if _, err := c.Get(t.Context(), key(1), Gzip, s.load); !errors.Is(err, errLoad) {
		t.Fatal(err)
	}
	s.err = nil
	get(t, c, key(1), Gzip, s)
	s.want(t, 2)
	if _, err := c.Get(t.Context(), key(1), "br", s.load); !errors.Is(err, ErrCoding) {
		t.Fatal(err)
	}
	s.want(t, 2)
}

func TestPanicLeavesNothingBehind(t *testing.T) {
	c, s := New(1<<20), &source{data: manifest(9)}
	for range 2 * atOnce {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic got lost")
				}
			}()
			_, _ = c.Get(t.Context(), key(1), Gzip, func() ([]byte, error) { panic("load") })
		}()
	}
	get(t, c, key(1), Gzip, s)
}

func TestBound(t *testing.T) {
	s := &source{data: manifest(100)}
	one := New(1 << 20)
	get(t, one, key(0), Gzip, s)
	cost := one.Used()
	c := New(3*cost + cost/2)
	for _, i := range []int{1, 2, 3, 1, 4} { // 2 was used longest ago
		get(t, c, key(i), Gzip, s)
	}
	if c.Used() != 3*cost {
		t.Fatalf("%d bytes are kept, want %d", c.Used(), 3*cost)
	}
	loads := s.loads.Load()
	for _, i := range []int{1, 3, 4} {
		get(t, c, key(i), Gzip, s)
	}
	s.want(t, loads)
	get(t, c, key(2), Gzip, s)
	s.want(t, loads+1)

	for _, most := range []int64{0, -1, cost - 1} {
		c := New(most)
		get(t, c, key(1), Gzip, s)
		if len(c.entries) != 0 || c.Used() != 0 || c.recent.Len() != 0 {
			t.Errorf("%d bytes of %d are kept", c.Used(), most)
		}
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	c, s := New(1<<20), &source{data: manifest(9)}
	loading, begin := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.Get(t.Context(), key(1), Gzip, func() ([]byte, error) {
			close(loading)
			<-begin
			return s.load()
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-loading
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errLoad)
	if _, err := c.Get(ctx, key(1), Gzip, s.load); !errors.Is(err, errLoad) {
		t.Errorf("error %v", err)
	}
	close(begin)
	wg.Wait()
	if _, err := c.Get(ctx, key(1), Gzip, s.load); err != nil {
		t.Errorf("what is kept needs no waiting: %v", err)
	}
	s.want(t, 1)
}

// TestNextTakesOver lets who compresses go away, before its turn and while it
// loads. One of those that wait takes its place.
func TestNextTakesOver(t *testing.T) {
	for _, loading := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, s := New(1<<20), &source{data: manifest(9)}
			ctx, cancel := context.WithCancel(t.Context())
			var taken []*coder
			for len(c.coders) > 0 && !loading { // no turn to be had
				taken = append(taken, <-c.coders)
			}
			began := false
			go func() {
				_, err := c.Get(ctx, key(1), Gzip, func() ([]byte, error) {
					began = true
					<-ctx.Done()
					return nil, ctx.Err()
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("who went away got %v", err)
				}
			}()
			synctest.Wait()
			for range 20 {
				go get(t, c, key(1), Gzip, s)
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			for _, w := range taken {
				c.coders <- w
			}
			synctest.Wait()
			s.want(t, 1)
			if began != loading {
				t.Errorf("the first began to load: %t, want %t", began, loading)
			}
		})
	}
}

func TestAtOnce(t *testing.T) {
	c := New(1 << 20)
	var now, most, asked atomic.Int64
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			asked.Add(1)
			_, err := c.Get(t.Context(), key(i), Gzip, func() ([]byte, error) {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				<-begin
				return manifest(100), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "as many load as may", func() bool { return now.Load() == atOnce && asked.Load() == 20 })
	close(begin)
	wg.Wait()
	if most.Load() != atOnce {
		t.Errorf("%d at a time, want %d", most.Load(), atOnce)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	c := New(4000)
	files := [][]byte{manifest(10), manifest(100), noise(300), manifest(1000)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					cancel()
				}
				i, coding := rand.IntN(len(files)), Codings()[rand.IntN(3)]
				got, err := c.Get(ctx, key(i), coding, func() ([]byte, error) { return files[i], nil })
				cancel()
				if errors.Is(err, context.Canceled) || errors.Is(err, ErrNotSmaller) && i == 2 {
					continue
				}
				if plain, decodeErr := decode(coding, got); err != nil || decodeErr != nil || !bytes.Equal(plain, files[i]) {
					t.Errorf("%s of file %d: %v, %v", coding, i, err, decodeErr)
				}
			}
		})
	}
	wg.Wait()
	var sum int64
	for e := c.recent.Front(); e != nil; e = e.Next() {
		sum += e.Value.(*entry).cost()
	}
	if sum != c.Used() || sum > 4000 || len(c.entries) != c.recent.Len() || len(c.calls) != 0 || len(c.coders) != atOnce {
		t.Errorf("%d bytes, %d on the books, %d entries, %d calls, %d coders", sum, c.Used(), len(c.entries), len(c.calls), len(c.coders))
	}
}
