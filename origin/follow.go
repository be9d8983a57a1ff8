package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var errLag = errors.New("viewer fell too far behind")

// batchWriter is where the bytes of a followed file go: one write per batch.
type batchWriter interface {
	// write sends the slices, n bytes in all; last says that nothing follows.
	write(slices [][]byte, n int64, last bool) error
	// setDeadline bounds the writes.
	setDeadline(time.Time) error
}

// follower writes a growing file to one viewer as it grows. It cuts a viewer
// that takes too long over a batch or falls too far behind.
type follower struct {
	body     *growingBody
	to       batchWriter
	deadline rollingDeadline
	sent     tally
	most     int64 // bytes of one write (block_size)
	mostLag  int64 // 0: no limit
	slices   [][]byte
}

func (m *mount) newFollower(b *growingBody, w batchWriter) *follower {
	m.metrics.viewers.Inc()
	f := &follower{
		body: b, to: w, most: m.block,
		deadline: rollingDeadline{timeout: time.Duration(m.cfg.ViewerTimeout), set: w.setDeadline},
		sent:     tally{counter: m.metrics.egressBytes},
	}
	if m.cfg.MaxLag > 0 {
		// A viewer that joins late begins behind: that is not its fault.
		f.mostLag = int64(m.cfg.MaxLag) + b.reader.Lag()
	}
	return f
}

// leave counts how the viewer went.
func (m *mount) leave(f *follower, err error) {
	m.metrics.viewers.Dec()
	f.sent.flush()
	f.body.sent = f.sent.total
	m.countCut(err)
}

// countCut counts the transfer's end if it was the server that ended it.
func (m *mount) countCut(err error) {
	switch {
	case errors.Is(err, errLag):
		m.metrics.cut[cutLag].Inc()
	case errors.Is(err, os.ErrDeadlineExceeded):
		m.metrics.cut[cutSlow].Inc()
	}
}

// follow writes the file until all of it is written, which is nil, or until
// the file or the viewer fails or ctx is done.
func (m *mount) follow(ctx context.Context, b *growingBody, w batchWriter) (err error) {
	f := m.newFollower(b, w)
	defer func() { m.leave(f, err) }()
	for {
		ended, err := f.catchUp()
		if ended || err != nil {
			return err
		}
		f.deadline.clear() // waiting is not slow; over HTTP/2 the deadline would end the stream
		select {
		case <-b.reader.Changed():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// catchUp writes what is published. It returns true once all of the body is
// written, and false when there is more to come.
func (f *follower) catchUp() (ended bool, err error) {
	r := f.body.reader
	for {
		began := r.Offset()
		f.slices, err = r.Try(f.slices[:0], min(f.most, f.body.to-began))
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		n := r.Offset() - began
		last := err != nil || r.Offset() >= f.body.to || r.AtEnd()
		if n == 0 && !last {
			return false, nil
		}
		f.deadline.extend()
		if err := f.to.write(f.slices, n, last); err != nil {
			return false, f.deadline.explain(err)
		}
		f.sent.add(n)
		if last {
			return true, nil
		}
		if f.mostLag > 0 && r.Lag() > f.mostLag {
			return false, errLag
		}
	}
}

// tally gathers what goes to a counter that all viewers share: an addition to
// it for each chunk would have their processors wait for each other.
type tally struct {
	counter prometheus.Counter // nil: there is none
	bytes   int64              // not in the counter yet
	total   int64
}

func (t *tally) add(n int64) {
	t.total += n
	if t.bytes += n; t.bytes >= 1<<20 {
		t.flush()
	}
}

func (t *tally) flush() {
	if t.counter != nil {
		t.counter.Add(float64(t.bytes))
	}
	t.bytes = 0
}

// rollingDeadline bounds each of many writes without a timer set for each: it
// moves only when a quarter of it is used, so a write has between three
// quarters of the timeout and all of it.
type rollingDeadline struct {
	timeout time.Duration
	set     func(time.Time) error
	at      time.Time
}

func (d *rollingDeadline) extend() {
	now := time.Now()
	if now.Sub(d.at) < d.timeout/4 {
		return
	}
	d.at = now
	_ = d.set(now.Add(d.timeout)) // fails on a closed connection only; so does the write
}

// clear takes the deadline away.
func (d *rollingDeadline) clear() {
	if !d.at.IsZero() {
		d.at = time.Time{}
		_ = d.set(d.at) // as in extend
	}
}

// explain says of a write that failed after its deadline that this is why.
// HTTP/2 tells only that the stream is closed.
func (d *rollingDeadline) explain(err error) error {
	if err == nil || d.at.IsZero() || time.Since(d.at) < d.timeout || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", os.ErrDeadlineExceeded, err)
}
