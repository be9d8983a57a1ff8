package relay

import (
	"context"
	"time"
)

// stuck is how long a listener has held up the input.
type stuck struct {
	at    int64 // the position it has been at, plus 1
	since time.Time
}

// progressed tells a publisher that waits for listeners that one moved or left.
func (r *Relay) progressed() {
	if !r.blocked.Load() {
		return
	}
	select {
	case r.progress <- struct{}{}:
	default:
	}
}

// waitSlowest returns once no listener lies further behind than it may. Who
// does not move for the BlockTimeout meanwhile is cut.
func (r *Relay) waitSlowest(ctx context.Context) error {
	r.blocked.Store(true) // before looking: a move made afterwards is told
	defer r.blocked.Store(false)
	timer := time.NewTimer(r.opt.BlockTimeout)
	defer timer.Stop()
	for {
		wait, some := r.heldUp(time.Now())
		if !some {
			return nil
		}
		timer.Reset(wait)
		select {
		case <-r.progress:
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// heldUp cuts the listeners that have held up the input for too long. It says
// whether others hold it up, and when the next of them is to be cut.
func (r *Relay) heldUp(now time.Time) (wait time.Duration, some bool) {
	v := r.row.now.Load()
	if v.size-r.lowest <= v.allowed {
		return 0, false // positions only grow, so none can be behind
	}
	r.lowest = v.size
	wait = r.opt.BlockTimeout
	for _, l := range r.everyone() {
		pos := l.pos.Load()
		at := v.offset(pos)
		r.lowest = min(r.lowest, at)
		if v.size-at <= v.allowed+l.credit.Load() {
			continue
		}
		if l.stuck.at != pos+1 {
			l.stuck = stuck{at: pos + 1, since: now}
		}
		left := r.opt.BlockTimeout - now.Sub(l.stuck.since)
		if left <= 0 {
			l.quit(true)
			continue
		}
		wait, some = min(wait, left), true
	}
	return wait, some
}
