package push

import (
	"context"
	"errors"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// attempt sends the job once. reused says that its connection had served
// before.
func (d *dest) attempt(j *job) (reused bool, err error) {
	if err := d.prepare(j); err != nil {
		return false, err
	}
	if err := d.slots.acquire(j.ctx, j.rank(d.to.BlockIO)); err != nil {
		return false, err
	}
	defer d.slots.release()
	if err := d.begin(j); err != nil {
		return false, err
	}
	m := &message{name: j.name, contentType: j.contentType, delete: j.src == nil, length: -1, at: j.moved}
	if j.src != nil {
		o, err := j.src.open()
		if err != nil {
			d.end(j, err)
			return false, err
		}
		defer o.close()
		m.src, m.length = o, o.length()
		m.expect = m.length >= expectFrom
	}
	s, err := d.client.send(j.ctx, m)
	j.bytes = s.bytes
	if err != nil && j.ctx.Err() != nil {
		err = context.Cause(j.ctx)
	}
	if errors.Is(err, errLagged) {
		err = errLagged // not the end of the source: it goes on at the live edge
	}
	if err = gone(j, err); err != nil && j.ctx.Err() == nil && j.src != nil && j.src.failed() {
		err = &SourceError{err}
	}
	d.end(j, err)
	return s.reused, err
}

// gone takes the answer that there is nothing to delete for a success.
func gone(j *job, err error) error {
	var status *StatusError
	if j.src == nil && errors.As(err, &status) && (status.Code == 404 || status.Code == 410) {
		return nil
	}
	return err
}

// prepare waits until the attempt may begin.
func (d *dest) prepare(j *job) error {
	if j.src != nil {
		if err := j.src.ready(j.ctx); err != nil {
			return err
		}
	}
	if j.kind() == segstore.Manifest {
		d.awaitEarlier(j)
	}
	d.mu.Lock()
	hold := time.Until(d.holdUntil)
	d.mu.Unlock()
	return sleep(j.ctx, hold)
}

// awaitEarlier lets a manifest wait for the files that were complete before it,
// but not for long: they may fail.
func (d *dest) awaitEarlier(m *job) {
	var before []*job
	d.mu.Lock()
	for j := range d.jobs {
		if j != m && j.src != nil && j.created.Before(m.created) && !j.dropped && !j.archive &&
			j.kind() != segstore.Manifest && !j.src.grows() {
			before = append(before, j)
		}
	}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(m.ctx, d.opt.times.order-time.Since(m.created))
	defer cancel()
	for _, j := range before {
		select {
		case <-j.finished:
		case <-ctx.Done():
			return
		}
	}
}

func (d *dest) begin(j *job) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if j.ctx.Err() != nil {
		return context.Cause(j.ctx)
	}
	if d.stale(j) {
		d.drop(j, errStale)
		return errStale
	}
	j.sending = true
	d.stats.InFlight++
	return nil
}

// end notes what an attempt tells of the destination.
func (d *dest) end(j *job, err error) {
	now := time.Now()
	d.mu.Lock()
	j.sending = false
	d.stats.InFlight--
	d.signal()
	var status *StatusError
	var again []*job
	switch {
	case j.ctx.Err() != nil || errors.As(err, new(*SourceError)):
	case err == nil:
		d.downSince = time.Time{}
		again = d.resend(now)
	case errors.As(err, &status):
		d.downSince = time.Time{}
		if status.Code == 412 && j.kind() != segstore.Init {
			d.lostAt = now
			again = d.resend(now)
		}
	case lostContact(err):
		d.lostAt = now
		if d.downSince.IsZero() {
			d.downSince = now
		}
	}
	d.mu.Unlock()
	for _, j := range again {
		d.add(j)
	}
}
