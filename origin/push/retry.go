package push

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// tries is what is known of the attempts of a job. The lane's goroutine owns it.
type tries struct {
	failed int       // attempts, without those that were redirected
	hops   int       // redirects one after the other
	first  time.Time // since when nothing but failures came; zero before any
}

// note takes a failed attempt in. One that went well for a while begins the
// count anew. While a file grows it is worth trying, however long that takes: so
// patience is counted from its end.
func (t *tries) note(j *job, began, now time.Time, wellAfter time.Duration) {
	if j.bytes > 0 && now.Sub(began) > wellAfter {
		*t = tries{}
	}
	if t.first.IsZero() || j.src != nil && j.src.grows() {
		t.first = now
	}
}

// deliver tries until the job is done, or no longer worth it.
func (d *dest) deliver(j *job) error {
	var t tries
	for {
		began := time.Now()
		reused, err := d.attempt(j)
		switch {
		case err == nil:
			return nil
		case j.ctx.Err() != nil: // given up on purpose
			return context.Cause(j.ctx)
		case errors.As(err, new(*SourceError)):
			return err
		}
		t.note(j, began, time.Now(), d.opt.times.backoffMost)
		pause, err := d.judge(j, &t, reused, err)
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
func (d *dest) judge(j *job, t *tries, reused bool, err error) (time.Duration, error) {
	d.tellRetry(j, err)
	d.mu.Lock()
	last := j.last
	d.mu.Unlock()
	var status *StatusError
	if errors.As(err, &status) && status.Location != "" && t.hops < maxRedirects && !last {
		t.hops++
		j.moved = status.Location
		return 0, nil
	}
	// Where a redirect leads may change: the next attempt asks anew.
	j.moved, t.hops = "", 0
	before := t.failed
	t.failed++
	switch {
	case reused && lostContact(err) && !errors.Is(err, ErrStalled) && before == 0:
		return 0, nil // most likely the server had closed an idle connection
	case last:
		return 0, errReplaced
	case !d.to.KA && (before > 0 || !retryable(err)):
		d.fail(&FatalError{URL: d.url, Err: err})
		return 0, err
	case !retryable(err):
		return 0, err
	}
	if err := d.worthIt(j, t, err); err != nil {
		return 0, err
	}
	return d.pauseFor(before, err), nil
}

// worthIt returns the error to end with when it is too late for one more attempt.
func (d *dest) worthIt(j *job, t *tries, err error) error {
	patience := d.opt.times.giveUp
	if d.to.BlockIO {
		patience = d.opt.times.giveUpAll
	}
	d.mu.Lock()
	stale := d.stale(j)
	d.mu.Unlock()
	switch {
	case stale:
		return errStale
	case j.src != nil && j.src.grows():
		return nil
	case time.Since(t.first) > patience:
		return err
	}
	return nil
}

// pauseFor doubles from try to try, with jitter so that files which failed
// together do not come back together. A server that names a time is heeded.
func (d *dest) pauseFor(n int, err error) time.Duration {
	t := d.opt.times
	pause := min(t.backoff<<min(n, 16), t.backoffMost)
	pause = pause/2 + rand.N(pause/2+1)
	var status *StatusError
	if !errors.As(err, &status) {
		return pause
	}
	if status.Code == 429 && status.RetryAfter > 0 {
		d.mu.Lock()
		d.holdUntil = time.Now().Add(status.RetryAfter)
		d.mu.Unlock()
	}
	return max(pause, status.RetryAfter)
}
