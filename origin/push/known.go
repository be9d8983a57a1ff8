package push

import (
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// Bounds of what is kept to be sent again.
const (
	maxKnown     = 1024
	maxKnownSize = 1 << 20
)

// known are the newest init segments and manifests by name: what a server needs
// that was restarted and has lost them.
type known struct {
	files map[string]*knownFile
	order []*knownFile // oldest first
}

type knownFile struct {
	hold *segstore.Reader
	sent time.Time // zero if it was not
}

func (k *known) clear() (held []*segstore.Reader) {
	for _, f := range k.files {
		held = append(held, f.hold)
	}
	k.files, k.order = nil, nil
	return held
}

// set enters a file and returns what is no longer held.
func (k *known) set(f *segstore.File, sent time.Time) (dropped []*segstore.Reader) {
	dropped = k.forget(f.Name())
	if k.files == nil {
		k.files = make(map[string]*knownFile)
	}
	if len(k.order) >= maxKnown {
		dropped = append(dropped, k.forget(k.order[0].hold.File().Name())...)
	}
	e := &knownFile{hold: f.NewReader(0), sent: sent}
	k.files[f.Name()] = e
	k.order = append(k.order, e)
	return dropped
}

func (k *known) forget(name string) []*segstore.Reader {
	e := k.files[name]
	if e == nil {
		return nil
	}
	delete(k.files, name)
	for i, o := range k.order {
		if o == e {
			k.order = append(k.order[:i], k.order[i+1:]...)
			break
		}
	}
	return []*segstore.Reader{e.hold}
}

// remember keeps what a job leaves to be sent again. d.mu is held.
func (d *dest) remember(j *job, sent bool) (dropped []*segstore.Reader) {
	if j.src == nil {
		return d.known.forget(j.name)
	}
	if j.file == nil || d.stopped || !j.keep() {
		return nil
	}
	if e := d.known.files[j.name]; e != nil && j.resend && e.hold.File() != j.file {
		return nil // a newer one has come meanwhile
	}
	if v := j.file.View(); v.State() != segstore.Complete || v.Size() > maxKnownSize {
		return nil
	}
	var at time.Time
	if sent {
		at = time.Now()
	}
	return d.known.set(j.file, at)
}

// resend returns jobs for what the destination has lost with a connection, if
// it has. d.mu is held.
func (d *dest) resend(now time.Time) (jobs []*job) {
	if d.lostAt.IsZero() || now.Sub(d.resentAt) < d.opt.times.resendGap || d.stopped {
		return nil
	}
	for _, e := range d.known.order {
		f := e.hold.File()
		if e.sent.After(d.lostAt) || d.lanes[f.Name()] != nil {
			continue
		}
		j := newJob(d.ctx, f.Name())
		j.file, j.contentType, j.resend = f, f.View().Head().ContentType, true
		j.src = &wholeSource{f}
		jobs = append(jobs, j)
	}
	d.lostAt, d.resentAt = time.Time{}, now
	return jobs
}
