package segstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// loneKeeper is a keeper without a store: it counts.
type loneKeeper struct {
	mu      sync.Mutex // guards the rest
	bytes   int
	limit   int
	settled []error
}

func (k *loneKeeper) reserve(_ *File, n int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.limit > 0 && k.bytes+n > k.limit {
		return ErrOverBudget
	}
	k.bytes += n
	return nil
}

func (k *loneKeeper) settle(_ *File, err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settled = append(k.settled, err)
	return nil
}

func grow(length int64) (*Writer, *loneKeeper) {
	k := &loneKeeper{}
	return newWriter(newFile("seg-1.m4s", nil), k, Head{Length: length}, time.Time{}), k
}

func box(kind string, payload int) []byte {
	b := make([]byte, 8+payload)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	copy(b[4:], kind)
	for i := range payload {
		b[8+i] = byte(i * 7)
	}
	return b
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func noise(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// pieces is an io.Reader that returns one piece a Read, as a network does.
type pieces struct {
	todo [][]byte
	end  error
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.todo) == 0 {
		if p.end != nil {
			return 0, p.end
		}
		return 0, io.EOF
	}
	n := copy(b, p.todo[0])
	if p.todo[0] = p.todo[0][n:]; len(p.todo[0]) == 0 {
		p.todo = p.todo[1:]
	}
	return n, nil
}

// readAll follows f from the offset to its end.
func readAll(ctx context.Context, f *File, from int64) ([]byte, error) {
	r := f.NewReader(from)
	defer r.Close()
	var got []byte
	for {
		slices, err := r.Next(ctx, nil, 1<<20)
		for _, s := range slices {
			got = append(got, s...)
		}
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

func TestPublishRules(t *testing.T) {
	fragment := cat(box("moof", 100), box("mdat", 3000))
	for _, tc := range []struct {
		name   string
		pieces [][]byte
		want   []int64 // sizes seen between pieces, at once
	}{
		{"a styp waits for its fragment", [][]byte{box("styp", 16), fragment}, []int64{0, 24 + 3116}},
		{"a fragment in pieces is one publish", [][]byte{fragment[:50], fragment[50:2000], fragment[2000:]}, []int64{0, 0, 3116}},
		{"the next fragment's beginning waits", [][]byte{cat(fragment, fragment[:40])}, []int64{3116}},
		{"64 KiB do not wait", [][]byte{cat(box("moof", 8), box("mdat", 1<<20))[:publishBytes], nil}, []int64{publishBytes}},
		{"bytes without boxes go at once", [][]byte{[]byte("GET ready\n")}, []int64{10}},
		{"two in a hurry are gathered", [][]byte{[]byte("0123456789"), []byte("0123456789")}, []int64{10, 10}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := grow(-1)
				total := 0
				for i, p := range tc.pieces {
					if p == nil {
						continue
					}
					w.mustReceive(t, p)
					total += len(p)
					if got := w.File().View().Size(); got != tc.want[i] {
						t.Errorf("after piece %d: %d bytes published, want %d", i, got, tc.want[i])
					}
				}
				time.Sleep(2 * publishDelay) // fake time: what is pending is due
				synctest.Wait()
				if got := w.File().View().Size(); got != int64(total) {
					t.Errorf("after the delay: %d bytes published, want %d", got, total)
				}
				w.Abort(errors.New("end of test"))
			})
		})
	}
}

// mustReceive has the writer read p as one drained read.
func (w *Writer) mustReceive(t *testing.T, p []byte) {
	t.Helper()
	for len(p) > 0 {
		buf, err := w.tail()
		if err != nil {
			t.Fatal(err)
		}
		n := copy(buf, p)
		p = p[n:]
		w.received(buf[:n], len(p) == 0)
	}
}

func TestDelayCountsFromTheFirstUnpublishedByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := grow(-1)
		defer w.Abort(errors.New("end of test"))
		w.mustReceive(t, box("styp", 16)) // arms the timer
		time.Sleep(publishDelay / 2)
		w.mustReceive(t, cat(box("moof", 8), box("mdat", 8), box("moof", 8))) // publishes; a younger remainder
		size := w.File().View().Size()
		time.Sleep(publishDelay*3/4 - 1)
		synctest.Wait()
		if got := w.File().View().Size(); got != size {
			t.Errorf("the remainder was published %v early", publishDelay/4)
		}
		time.Sleep(publishDelay / 2)
		synctest.Wait()
		if got := w.File().View().Size(); got != size+16 {
			t.Errorf("%d bytes published after the delay, want %d", got, size+16)
		}
	})
}

func TestReadersGetWhatWasSent(t *testing.T) {
	for _, length := range []int64{-1, 700_000} {
		data := noise(700_000, 7)
		w, k := grow(length)
		var todo [][]byte
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(9000))
			todo, rest = append(todo, rest[:n]), rest[n:]
		}
		var wg sync.WaitGroup
		for range 40 {
			from := rand.Int64N(int64(len(data)))
			wg.Go(func() {
				got, err := readAll(t.Context(), w.File(), from)
				if err != nil || !bytes.Equal(got, data[from:]) {
					t.Errorf("from %d: %d bytes, err %v; want the %d that were sent", from, len(got), err, len(data)-int(from))
				}
			})
		}
		if n, err := w.ReadFrom(&pieces{todo: todo}); n != int64(len(data)) || err != nil {
			t.Fatalf("ReadFrom = %d, %v", n, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if waste := k.bytes - len(data); waste < 0 || waste > blockMost/8 {
			t.Errorf("%d bytes of memory on the books for %d", k.bytes, len(data))
		}
	}
}

func TestReadersOfAFailedFile(t *testing.T) {
	broken := errors.New("encoder went away")
	w, k := grow(-1)
	data := noise(100_000, 3)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			got, err := readAll(t.Context(), w.File(), 0)
			if !errors.Is(err, broken) || !bytes.HasPrefix(data, got) {
				t.Errorf("%d bytes, err %v; want some bytes and then %v", len(got), err, broken)
			}
		})
	}
	if _, err := w.ReadFrom(&pieces{todo: [][]byte{data}, end: broken}); !errors.Is(err, broken) {
		t.Fatalf("ReadFrom: %v", err)
	}
	w.Abort(broken)
	wg.Wait()
	if v := w.File().View(); v.State() != Failed || v.ETag() != "" {
		t.Errorf("state %v, etag %q", v.State(), v.ETag())
	}
	if err := w.Close(); !errors.Is(err, ErrState) {
		t.Errorf("Close after Abort: %v", err)
	}
	if len(k.settled) != 1 {
		t.Errorf("settled %d times", len(k.settled))
	}
}

func TestAnnouncedLengthMustBeMet(t *testing.T) {
	for _, tc := range []struct {
		name string
		send int
	}{{"too short", 99}, {"too long", 101}} {
		t.Run(tc.name, func(t *testing.T) {
			w, _ := grow(100)
			_, err := w.ReadFrom(bytes.NewReader(make([]byte, tc.send)))
			if err == nil {
				err = w.Close()
			} else {
				w.Abort(err)
			}
			if !errors.Is(err, ErrLength) || w.File().View().State() != Failed {
				t.Errorf("err %v, state %v", err, w.File().View().State())
			}
		})
	}
}

func TestAnAnnouncedLengthTakesNoMoreMemory(t *testing.T) {
	w, k := grow(5000)
	if _, err := w.ReadFrom(bytes.NewReader(make([]byte, 5000))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || k.bytes != 5000 {
		t.Errorf("err %v, %d bytes on the books", err, k.bytes)
	}
}

func TestAnUploadThatTheStoreHasNoRoomFor(t *testing.T) {
	w, k := grow(-1)
	k.limit = 100_000
	_, err := w.ReadFrom(bytes.NewReader(make([]byte, 1<<20)))
	if !errors.Is(err, ErrOverBudget) {
		t.Fatalf("ReadFrom: %v", err)
	}
	w.Abort(err)
	if k.bytes > k.limit {
		t.Errorf("%d bytes taken of %d", k.bytes, k.limit)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	w, _ := grow(-1)
	defer w.Abort(errors.New("end of test"))
	why := errors.New("viewer went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() {
		_, err := readAll(ctx, w.File(), 0)
		done <- err
	}()
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("err %v", err)
	}
}

// TestAViewIsNeverTorn reads each view's own bytes while the writer goes on in
// the same block: under -race this shows that published bytes do not change.
func TestAViewIsNeverTorn(t *testing.T) {
	w, _ := grow(-1)
	data := noise(300_000, 11)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				v := w.File().View()
				got := bytes.Join(v.AppendSlices(nil, 0, v.Size()), nil)
				if !bytes.Equal(got, data[:v.Size()]) {
					t.Errorf("view of %d bytes differs", v.Size())
					return
				}
				if v.State() == Complete {
					return
				}
				<-v.Changed()
			}
		})
	}
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 1777)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func TestAppendSlices(t *testing.T) {
	data := noise(200_000, 5)
	w, _ := grow(-1)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	v := w.File().View()
	for _, tc := range [][2]int64{{0, 0}, {0, 1}, {0, 200_000}, {16383, 16385}, {16384, 49152}, {199_999, 200_000}, {50_000, 150_000}} {
		if got := bytes.Join(v.AppendSlices(nil, tc[0], tc[1]), nil); !bytes.Equal(got, data[tc[0]:tc[1]]) {
			t.Errorf("[%d, %d): %d bytes differ", tc[0], tc[1], len(got))
		}
	}
}

func TestVersionsOfANameHaveRisingTimes(t *testing.T) {
	later := time.Now().Add(time.Hour)
	w := newWriter(newFile("a", nil), &loneKeeper{}, Head{Length: -1}, later)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if v := w.File().View(); !v.ModTime().After(later) {
		t.Errorf("modified %v, not after %v", v.ModTime(), later)
	}
}

func TestAFileIsFreeWhenItsLastReaderIs(t *testing.T) {
	freed := 0
	f := newFile("a", func(*File) { freed++ })
	w := newWriter(f, &loneKeeper{}, Head{Length: -1}, time.Time{})
	r := f.NewReader(0)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	f.release() // the registry's
	r.Close()
	if freed != 0 {
		t.Error("free while a Body is open")
	}
	if err := b.Close(); err != nil || freed != 1 {
		t.Errorf("err %v, freed %d times", err, freed)
	}
}

func TestOpenWantsACompleteFile(t *testing.T) {
	w, _ := grow(-1)
	if _, err := w.File().Open(); !errors.Is(err, ErrState) {
		t.Errorf("err %v", err)
	}
	w.Abort(errors.New("end of test"))
}
