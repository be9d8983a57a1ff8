package relay

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

const (
	// batchBytes is about how much one Next returns.
	batchBytes = 64 << 10
	// tallyBytes is how much a listener takes before it is added to what all
	// share.
	tallyBytes = 64 << 10
)

// Listener is one viewer's place in the row. Next is for one goroutine; Close
// may be called by any.
type Listener struct {
	relay *Relay
	gone  chan struct{} // closed by Close, or when the input waited too long
	leave sync.Once
	slow  atomic.Bool // why gone was closed
	began atomic.Bool // it has had something

	mu    sync.Mutex // guards onCut
	onCut func()

	// Owned by who calls Next, read by who publishes.
	pos    atomic.Int64 // number of the next entry
	credit atomic.Int64 // bytes it may lie behind beyond what is allowed, having joined so

	// Owned by who calls Next.
	conn int64 // connection it is in; of any other it begins at a clean frame
	err  error // the end it has come to

	took atomic.Int64 // bytes not yet counted for all

	// Owned by who publishes, with BlockIO.
	stuck stuck
}

// Next appends to dst what waits for this listener, up to about 64 KiB but at
// least one frame, and waits if that is nothing. The slices alias the row and
// must not be written to. It returns io.EOF at a clean end of the input,
// ErrSlow for a listener that was cut, else why the input ended, or ctx's cause.
func (l *Listener) Next(ctx context.Context, dst [][]byte) ([][]byte, error) {
	for {
		if l.err != nil {
			return dst, l.err
		}
		v := l.relay.row.now.Load()
		n := len(dst)
		dst = l.take(v, dst)
		if len(dst) > n {
			return dst, nil
		}
		if l.err != nil {
			continue
		}
		select {
		case <-v.next:
		case <-l.gone:
			l.err = l.whyGone()
		case <-ctx.Done():
			return dst, context.Cause(ctx)
		}
	}
}

// Behind returns how many bytes wait for this listener. Any goroutine may ask.
func (l *Listener) Behind() int64 {
	v := l.relay.row.now.Load()
	return v.size - v.offset(l.pos.Load())
}

// OnCut has f called once when the listener is cut, or at once if it has been: a
// Next that is not under way because what the one before returned is still being
// written tells nothing. f must not wait.
func (l *Listener) OnCut(f func()) {
	l.mu.Lock()
	l.onCut = f
	l.mu.Unlock()
	if l.slow.Load() {
		l.tellCut()
	}
}

// tellCut calls what OnCut was given, once.
func (l *Listener) tellCut() {
	l.mu.Lock()
	f := l.onCut
	l.onCut = nil
	l.mu.Unlock()
	if f != nil {
		f()
	}
}

// tooSlow says whether it lies too far behind in v. A listener that has had
// nothing yet will begin at a newer place, and misses nothing.
func (l *Listener) tooSlow(v *view) bool {
	credit := l.credit.Load() // before pos: it is taken away after pos has moved
	pos := l.pos.Load()
	return l.began.Load() && (pos < v.first || v.last-v.offset(pos) > v.allowed+credit)
}

// Close ends the listener and a Next under way. It may be called again.
func (l *Listener) Close() { l.quit(false) }

func (l *Listener) quit(slow bool) {
	l.leave.Do(func() {
		l.slow.Store(slow)
		close(l.gone)
		l.relay.bytesOut.Add(l.took.Swap(0))
		l.relay.drop(l, slow)
	})
	if l.slow.Load() {
		l.tellCut()
	}
}

func (l *Listener) whyGone() error {
	if l.slow.Load() {
		return ErrSlow
	}
	return ErrClosed
}

// take appends what v has for the listener, and notes an end it comes to.
func (l *Listener) take(v *view, dst [][]byte) [][]byte {
	select {
	case <-l.gone:
		l.err = l.whyGone()
		return dst
	default:
	}
	pos := l.pos.Load()
	if pos < v.first || v.last-v.offset(pos) > v.allowed+l.credit.Load() {
		if l.conn != 0 {
			l.quit(true)
			l.err = l.whyGone()
			return dst
		}
		pos = l.rejoin(v) // it has had nothing yet, so nothing will be missing
	}
	dst, pos, taken := l.gather(v, pos, dst)
	l.pos.Store(pos)
	if pos == v.after() {
		l.credit.Store(0)
	}
	l.count(taken)
	l.relay.progressed()
	return dst
}

// rejoin returns where the listener begins when it comes back only now. The end
// of it all is not passed over.
func (l *Listener) rejoin(v *view) int64 {
	pos := v.join()
	if v.over {
		pos = max(l.pos.Load(), v.first)
	}
	l.credit.Store(v.size - v.offset(pos))
	return pos
}

// gather appends frames from pos on and returns where it came to.
func (l *Listener) gather(v *view, pos int64, dst [][]byte) (slices [][]byte, to, taken int64) {
	for ; pos < v.after() && taken < batchBytes; pos++ {
		e := &v.entries[pos-v.first]
		switch {
		case e.end:
			if taken == 0 {
				l.err = endOf(e)
			}
			return dst, pos, taken
		case e.conn == l.conn:
		case !e.clean:
			continue
		default:
			l.conn = e.conn
			l.began.Store(true)
			if len(e.header) > 0 {
				dst = append(dst, e.header)
				taken += int64(len(e.header))
			}
		}
		dst = append(dst, e.data)
		taken += int64(len(e.data))
	}
	return dst, pos, taken
}

func endOf(e *entry) error {
	if e.err != nil {
		return e.err
	}
	return io.EOF
}

// count adds to the relay's bytes out, seldom: an addition for each frame would
// have the listeners' processors wait for each other.
func (l *Listener) count(n int64) {
	if l.took.Add(n) >= tallyBytes {
		l.relay.bytesOut.Add(l.took.Swap(0))
	}
}
