package segstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// stamped returns the bytes of an upload: its number, over and over.
func stamped(id uint64, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%08x", id), n/8+1)[:n/8*8]
}

// checkStamped checks that p, from the offset on, are bytes of one upload.
func checkStamped(p []byte, off int) error {
	for i := range p {
		if p[i] != p[i%8] {
			return fmt.Errorf("bytes of two uploads: %q at %d, then %q", p[:8], off, p[i&^7:min(len(p), i&^7+8)])
		}
	}
	return nil
}

// chaos does everything at once to a few names.
type chaos struct {
	t     *testing.T
	s     *Store
	names []string
	ids   chan uint64
}

func (c *chaos) name() string { return c.names[rand.IntN(len(c.names))] }

// upload uploads one file in pieces; one in four fails.
func (c *chaos) upload() {
	w, err := c.s.Create(c.name(), Head{Length: -1})
	if errors.Is(err, ErrKept) {
		return
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	r := w.File().NewReader(0)
	defer r.Close()
	body := stamped(<-c.ids, 8*rand.IntN(20000))
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 1+rand.IntN(30000))
		if _, err := w.Write(rest[:n]); err != nil {
			w.Abort(err)
			return
		}
		rest = rest[n:]
	}
	if rand.IntN(4) == 0 {
		w.Abort(errAborted)
		return
	}
	if err := w.Close(); err != nil && !errors.Is(err, ErrKept) && !errors.Is(err, ErrDeleted) {
		c.t.Error(err)
	}
	got, err := drain(c.t.Context(), r)
	if err != nil || !bytes.Equal(got, body) {
		c.t.Errorf("reader of upload got %d bytes of %d, %v", len(got), len(body), err)
	}
}

func drain(ctx context.Context, r *Reader) (got []byte, err error) {
	for {
		var p [][]byte
		if p, err = r.Next(ctx, nil, 1<<20); err != nil {
			break
		}
		got = append(got, bytes.Join(p, nil)...)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return got, err
}

// read reads what a name stands for, growing or complete, from a random offset.
func (c *chaos) read() {
	f, err := c.s.Lookup(c.name())
	if rand.IntN(2) == 0 {
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Millisecond)
		defer cancel()
		f, err = c.s.Await(ctx, c.name())
	}
	if err != nil {
		return
	}
	var got []byte
	off := 0
	switch f.View().State() {
	case Complete:
		if got, err = bodyOf(f); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if int64(len(got)) != f.View().Size() {
			c.t.Errorf("%d bytes of a file of %d", len(got), f.View().Size())
		}
	case Growing:
		off = 8 * rand.IntN(1000)
		got, err = readAll(c.t.Context(), f, int64(off))
		if errors.Is(err, errAborted) {
			err = nil
		}
	case Pending:
		err = errors.New("a Pending file was seen")
	case Failed:
		return
	}
	if err == nil {
		err = checkStamped(got, off)
	}
	if err != nil && !errors.Is(err, ErrOverBudget) {
		c.t.Error(err)
	}
}

func (c *chaos) remove() {
	err := c.s.Delete(c.name())
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		c.t.Error(err)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	for _, policy := range []Policy{Overwrite, FirstWins, FirstCompleteWins} {
		eachStore(t, func(t *testing.T, open func(Options) *Store) {
			b := NewBudget(8 << 20)
			s := open(Options{MaxCacheSegs: -2, Policy: policy, Budget: b, MaxBytes: 4 << 20})
			c := &chaos{t: t, s: s, ids: make(chan uint64), names: []string{seg(1), seg(2), seg(3), seg(4), "v/init.mp4", "live.mpd", "v/p7.1.ts", "v/p8.1.ts"}}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for id := uint64(1); ; id++ {
					select {
					case c.ids <- id:
					case <-ctx.Done():
						return
					}
				}
			}()
			var wg sync.WaitGroup
			for _, do := range []func(){c.upload, c.upload, c.upload, c.read, c.read, c.read, c.remove} {
				wg.Go(func() {
					for range 150 {
						do()
					}
				})
			}
			wg.Wait()
			cancel()
			c.checkEmpty(b)
		})
	}
}

// checkEmpty deletes what is left and checks that nothing remembers anything.
func (c *chaos) checkEmpty(b *Budget) {
	for _, name := range c.names {
		err := c.s.Delete(name)
		var missing *MissingError
		if err != nil && !errors.As(err, &missing) {
			c.t.Error(err)
		}
		if f, err := c.s.Lookup(name); err == nil {
			c.t.Errorf("%s is still there: %v", name, f.View().State())
		}
	}
	st := c.s.Stats()
	if st.Files != 0 || st.Growing != 0 || st.Waiters != 0 || st.Bytes != 0 || b.Used() != 0 {
		c.t.Errorf("stats %+v, budget %d", st, b.Used())
	}
	if q := &c.s.queue; q.media.Len()+q.kept.Len() != 0 {
		c.t.Errorf("%d and %d versions are queued to be evicted", q.media.Len(), q.kept.Len())
	}
	for key, tr := range c.s.tracks.byKey {
		if tr.uploads != 0 || len(tr.slots) != 0 {
			c.t.Errorf("track %s has %d uploads and %d slots", key, tr.uploads, len(tr.slots))
		}
	}
	for dir, p := range c.s.streams.below {
		if p.underWay != 0 {
			c.t.Errorf("%d uploads under way in %q", p.underWay, dir)
		}
	}
}
