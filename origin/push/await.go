package push

import (
	"context"
	"time"
)

// downAfter is how long a destination fails before it counts as down.
const downAfter = 5 * time.Second

func (d *dest) figures() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	for j := range d.jobs {
		s.Held += j.held()
		if !j.sending {
			s.Waiting++
		}
	}
	return s
}

// await waits until the condition, which is asked with d.mu held, is true.
func (d *dest) await(ctx context.Context, condition func() bool) error {
	for {
		d.mu.Lock()
		ok, stopped, changed := condition(), d.stopped, d.changed
		d.mu.Unlock()
		switch {
		case ok:
			return nil
		case stopped:
			return errStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// signal wakes who awaits something. d.mu is held.
func (d *dest) signal() {
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *dest) idle() bool { return len(d.lanes) == 0 }

// hasRoom is what Ready waits for.
func (d *dest) hasRoom() bool {
	if !d.to.BlockIO && !d.downSince.IsZero() && time.Since(d.downSince) > downAfter {
		return true
	}
	var held int64
	count := 0
	for j := range d.jobs {
		if !j.dropped && (d.to.BlockIO || j.archive) {
			held += j.held()
			count++
		}
	}
	return held < d.opt.MaxHeld/4 && count < maxJobs/4
}
