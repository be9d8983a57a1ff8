package push

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// maxJobs bounds what waits for one destination.
const maxJobs = 4096

// downAfter is how long a destination fails before it counts as down.
const downAfter = 5 * time.Second

// dest is one destination and all that is on its way there.
type dest struct {
	// Static. Each guards itself.
	to     Destination
	url    string // for logs
	client *Client
	opt    *Options
	log    *slog.Logger
	ctx    context.Context
	fail   context.CancelCauseFunc
	slots  *slots
	said   quiet
	wg     sync.WaitGroup // of the lanes

	mu        sync.Mutex // guards the rest
	started   bool
	stopped   bool
	lanes     map[string]*lane // by name
	tracks    map[string]*track
	known     known
	stats     Stats
	holdUntil time.Time // a 429 asks for a pause of all
	downSince time.Time // zero while it answers
	lostAt    time.Time // when a connection last failed; zero once all is sent again
	resentAt  time.Time
	changed   chan struct{} // closed and replaced when a job or an attempt has ended
}

// lane is what is under way of one name: one job at a time, and what waits. That
// is the newest version only, unless the first is to be kept.
type lane struct {
	cur  *job
	next []*job
}

// maxReserve is how many uploads of a name may wait for the first to fail.
const maxReserve = 4

func newDest(ctx context.Context, c *Client, opt *Options, fail context.CancelCauseFunc) *dest {
	u := redacted(c.to.URL)
	return &dest{
		to: c.to, url: u, client: c, opt: opt, log: opt.Log.With("push", u), ctx: ctx, fail: fail,
		slots: &slots{free: c.to.MaxStreams}, said: quiet{gap: opt.times.logGap},
		lanes: make(map[string]*lane), tracks: make(map[string]*track),
		changed: make(chan struct{}), stats: Stats{URL: u},
	}
}

func (d *dest) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.started = true
	for _, l := range d.lanes {
		d.wg.Go(func() { d.run(l) })
	}
}

// stop returns once no goroutine is left. The context is done before.
func (d *dest) stop() {
	d.mu.Lock()
	d.stopped = true
	d.signal()
	d.mu.Unlock()
	d.wg.Wait()
	d.client.Close()
	d.mu.Lock()
	held := d.known.clear()
	d.mu.Unlock()
	for _, h := range held {
		h.Close()
	}
}

// add takes a job in. The caller has given it its source.
func (d *dest) add(j *job) {
	d.mu.Lock()
	if d.stopped || d.ctx.Err() != nil {
		d.mu.Unlock()
		j.release()
		return
	}
	gone := d.enter(j)
	d.relieve()
	d.mu.Unlock()
	for _, old := range gone {
		old.release()
	}
}

// enter puts the job in the lane of its name and returns those that it took
// the place of. d.mu is held.
func (d *dest) enter(j *job) (gone []*job) {
	if j.track != "" {
		d.enterTrack(j)
	}
	l := d.lanes[j.name]
	if l == nil {
		l = &lane{next: []*job{j}}
		d.lanes[j.name] = l
		if d.started {
			d.wg.Go(func() { d.run(l) })
		}
		return nil
	}
	if d.isReserve(j) && len(l.next) < maxReserve {
		l.next = append(l.next, j)
		return nil
	}
	gone, l.next = l.next, []*job{j}
	for _, old := range gone {
		d.leaveTrack(old)
		d.stats.Replaced++
	}
	if l.cur != nil {
		d.replace(l.cur, j)
	}
	return gone
}

// isReserve says that the job is needed only if those before it fail.
func (d *dest) isReserve(j *job) bool {
	return d.opt.KeepFirst && j.src != nil && j.kind() != segstore.Manifest
}

// replace makes way for a newer job of the name. What has its last byte and is
// being sent may end; it would be a waste, and a manifest that is replaced
// faster than the server answers would never arrive. d.mu is held.
func (d *dest) replace(cur, by *job) {
	growing := cur.src != nil && cur.src.grows()
	switch {
	case d.isReserve(by):
	case cur.sending && !growing:
		cur.last = true
	default:
		d.drop(cur, errReplaced)
	}
}

// drop ends a job that a lane runs, or will run. d.mu is held.
func (d *dest) drop(j *job, why error) {
	j.dropped = true
	j.cancel(why)
}

// relieve drops the oldest files while too many bytes, or too many files,
// wait. d.mu is held.
func (d *dest) relieve() {
	var held int64
	count := 0
	for j := range d.jobs {
		if !j.dropped {
			held += j.held()
			count++
		}
	}
	for held > d.opt.MaxHeld || count > maxJobs {
		var oldest *job
		for j := range d.jobs {
			if !j.dropped && !j.keep() && (oldest == nil || j.created.Before(oldest.created)) {
				oldest = j
			}
		}
		if oldest == nil {
			return
		}
		held -= oldest.held()
		count--
		d.drop(oldest, errHeld)
	}
}

// jobs is an iterator over all jobs. d.mu is held.
func (d *dest) jobs(yield func(*job) bool) {
	for _, l := range d.lanes {
		if l.cur != nil && !yield(l.cur) {
			return
		}
		for _, j := range l.next {
			if !yield(j) {
				return
			}
		}
	}
}

// enterTrack gives a segment its place and drops those that it makes stale.
// d.mu is held.
func (d *dest) enterTrack(j *job) {
	t := d.tracks[j.track]
	if t == nil {
		t = &track{jobs: make(map[*job]struct{})}
		d.tracks[j.track] = t
	}
	t.enter(j)
	for other := range t.jobs {
		if !other.dropped && d.stale(other) {
			d.drop(other, errStale)
		}
	}
}

func (d *dest) leaveTrack(j *job) {
	if t := d.tracks[j.track]; t != nil {
		delete(t.jobs, j)
		if len(t.jobs) == 0 {
			delete(d.tracks, j.track)
		}
	}
}

// stale says that a segment is too old to matter. d.mu is held.
func (d *dest) stale(j *job) bool {
	t := d.tracks[j.track]
	return t != nil && !d.to.BlockIO && !j.archive && !j.keep() &&
		t.seq-j.seq > int64(d.to.MaxBehind) && time.Since(j.created) >= d.opt.times.staleAge
}

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
