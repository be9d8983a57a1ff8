package push

import (
	"context"
	"errors"
	"time"
)

// run sends what comes into the lane until nothing is left.
func (d *dest) run(l *lane) {
	var last *job
	for {
		j := d.take(l, last)
		if j == nil {
			return
		}
		d.finish(j, d.deliver(j))
		last = j
	}
}

// take ends the job before and returns the next. With none the lane is gone.
func (d *dest) take(l *lane, before *job) (j *job) {
	d.mu.Lock()
	if before != nil {
		d.count--
		d.leaveTrack(before)
		d.dropReserve(l, before)
	}
	if l.cur = nil; len(l.next) > 0 {
		j, l.next = l.next[0], l.next[1:]
		l.cur = j
	} else {
		delete(d.lanes, before.name)
	}
	d.signal()
	d.mu.Unlock()
	if before != nil {
		before.release()
	}
	return j
}

// dropReserve drops what is not needed after a file that is whole. What comes
// behind a DELETE is. d.mu is held.
func (d *dest) dropReserve(l *lane, before *job) {
	if before.src == nil || !before.src.whole() {
		return
	}
	for _, j := range l.next {
		if !d.isReserve(j) {
			return
		}
		d.drop(j, errReplaced)
	}
}

// finish counts how a job ended.
func (d *dest) finish(j *job, err error) {
	d.mu.Lock()
	s := &d.stats
	switch {
	case err == nil && j.src == nil:
		s.Deleted++
	case err == nil && j.resend:
		s.Resent++
	case err == nil:
		s.Sent++
		s.Bytes += j.bytes
	case errors.Is(err, errStopped) || d.ctx.Err() != nil:
	case errors.Is(err, errReplaced):
		s.Replaced++
	case errors.Is(err, errStale), errors.Is(err, errHeld):
		s.Skipped++
	case errors.As(err, new(*SourceError)):
		s.Broken++
	default:
		s.Failed++
	}
	dropped := d.remember(j, err == nil)
	d.mu.Unlock()
	for _, h := range dropped {
		h.Close()
	}
	d.tell(j, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
