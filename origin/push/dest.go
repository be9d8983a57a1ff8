package push

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// maxJobs bounds the files that wait for one destination; maxKept bounds them
// with the deletes, init segments and manifests.
const (
	maxJobs = 4096
	maxKept = 4 * maxJobs
)

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
	count     int              // of jobs in all lanes
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
	d := &dest{
		to: c.to, url: u, client: c, opt: opt, log: opt.Log.With("push", u), ctx: ctx, fail: fail,
		slots: &slots{free: c.to.MaxStreams}, said: quiet{gap: opt.times.logGap},
		lanes: make(map[string]*lane), tracks: make(map[string]*track),
		changed: make(chan struct{}), stats: Stats{URL: u},
	}
	c.missed = d.miss
	return d
}

// miss notes that the server has closed a connection: it may have lost what it
// had.
func (d *dest) miss() {
	d.mu.Lock()
	d.lostAt = time.Now()
	d.mu.Unlock()
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
	d.count += 1 - len(gone)
	if j.src != nil || d.count > maxKept { // it looks at all there are
		d.relieve()
	}
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
// wait. What must not be dropped for its age is dropped for its number only.
// d.mu is held.
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
		old := d.oldest(func(j *job) bool { return !j.keep() })
		if old == nil && count > maxKept {
			old = d.oldest(func(*job) bool { return true })
		}
		if old == nil {
			return
		}
		held -= old.held()
		count--
		d.drop(old, errHeld)
	}
}

// oldest returns the oldest job of those that are to be had. d.mu is held.
func (d *dest) oldest(which func(*job) bool) (old *job) {
	for j := range d.jobs {
		if !j.dropped && which(j) && (old == nil || j.created.Before(old.created)) {
			old = j
		}
	}
	return old
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
