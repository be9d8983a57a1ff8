package push

import (
	"context"
	"errors"
	"math/rand/v2"
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

// dropReserve drops what is not needed after a file that is whole. d.mu is held.
func (d *dest) dropReserve(l *lane, before *job) {
	if before.src == nil || !before.src.whole() {
		return
	}
	for _, j := range l.next {
		if d.isReserve(j) {
			d.drop(j, errReplaced)
		}
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

// deliver tries until the job is done, or no longer worth it.
func (d *dest) deliver(j *job) error {
	var first time.Time // of the failures
	for n := 0; ; n++ {
		reused, err := d.attempt(j)
		switch {
		case err == nil:
			return nil
		case j.ctx.Err() != nil: // given up on purpose
			return context.Cause(j.ctx)
		case errors.As(err, new(*SourceError)):
			return err
		}
		if first.IsZero() {
			first = time.Now()
		}
		pause, err := d.judge(j, n, first, reused, err)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.stats.Retried++
		d.relieve() // files have grown since they were told of
		d.mu.Unlock()
		if err := sleep(j.ctx, pause); err != nil {
			return err
		}
	}
}

// judge decides on a failed attempt: how long to wait before the next, or the
// error to end with.
func (d *dest) judge(j *job, n int, first time.Time, reused bool, err error) (time.Duration, error) {
	d.tellRetry(j, err)
	if reused && lostContact(err) && !errors.Is(err, ErrStalled) && n == 0 {
		return 0, nil // most likely the server had closed an idle connection
	}
	d.mu.Lock()
	last, stale := j.last, d.stale(j)
	d.mu.Unlock()
	patience := d.opt.times.giveUp
	if d.to.BlockIO {
		patience = d.opt.times.giveUpAll
	}
	var status *StatusError
	switch {
	case last:
		return 0, errReplaced
	case errors.As(err, &status) && status.Location != "" && n >= maxRedirects:
		return 0, err
	case !d.to.KA && (n > 0 || !retryable(err)):
		d.fail(&FatalError{URL: d.url, Err: err})
		return 0, err
	case !retryable(err):
		return 0, err
	case stale:
		return 0, errStale
	case time.Since(first) > patience:
		return 0, err
	}
	return d.pauseFor(j, n, err), nil
}

// pauseFor doubles from try to try, with jitter so that files which failed
// together do not come back together. A server that names a time is heeded.
func (d *dest) pauseFor(j *job, n int, err error) time.Duration {
	t := d.opt.times
	pause := min(t.backoff<<min(n, 16), t.backoffMost)
	pause = pause/2 + rand.N(pause/2+1)
	var status *StatusError
	if !errors.As(err, &status) {
		return pause
	}
	if status.Location != "" {
		j.moved = status.Location
		return 0
	}
	pause = max(pause, status.RetryAfter)
	if status.Code == 429 && status.RetryAfter > 0 {
		d.mu.Lock()
		d.holdUntil = time.Now().Add(status.RetryAfter)
		d.mu.Unlock()
	}
	return pause
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
