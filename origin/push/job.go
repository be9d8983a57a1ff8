package push

import (
	"context"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// job is one file, or one DELETE, on its way to one destination.
type job struct {
	// Static.
	name        string
	contentType string
	src         source         // nil for a DELETE
	file        *segstore.File // nil if it is none of a store
	created     time.Time
	archive     bool // never stale, and behind all others
	resend      bool
	ctx         context.Context
	cancel      context.CancelCauseFunc
	finished    chan struct{} // closed once nothing more is done about it

	// Owned by the lane's goroutine.
	moved string // where a redirect sends it
	bytes int64  // of the last attempt

	// Guarded by dest.mu.
	track   string // "" for what is no segment
	number  string
	seq     int64
	sending bool
	dropped bool
	last    bool // the attempt under way is the last
}

func newJob(ctx context.Context, name string) *job {
	j := &job{name: name, created: time.Now(), finished: make(chan struct{})}
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	return j
}

// fileJob is for a file of a store. Its track is set even for one that turns
// out to be an init segment; kind tells.
func fileJob(ctx context.Context, f *segstore.File) *job {
	j := newJob(ctx, f.Name())
	j.file, j.contentType = f, f.View().Head().ContentType
	if f.View().State() == segstore.Complete {
		j.src = &wholeSource{f}
	} else {
		j.src = newStoreSource(f)
	}
	if k := segstore.KindOf(j.name); k == segstore.Segment || k == segstore.Part {
		j.track, j.number = segmentOf(j.name, f.Kind())
	}
	return j
}

func (j *job) kind() segstore.Kind {
	switch {
	case j.file != nil:
		return j.file.Kind()
	case j.src == nil:
		return segstore.Other
	}
	return segstore.KindOf(j.name)
}

// rank says in which order jobs get a slot. Of live segments the newest goes
// first, unless all are to be delivered.
func (j *job) rank(all bool) rank {
	at := j.created.UnixNano()
	switch k := j.kind(); {
	case j.src == nil:
		return rank{3, at}
	case k == segstore.Init:
		return rank{0, at}
	case k == segstore.Manifest:
		return rank{1, at}
	case j.archive:
		return rank{4, at}
	case all || k == segstore.Other:
		return rank{2, at}
	}
	return rank{2, -at}
}

// keep says that the job must not be dropped for its age or its bytes.
func (j *job) keep() bool {
	k := j.kind()
	return j.src == nil || k == segstore.Init || k == segstore.Manifest
}

func (j *job) held() int64 {
	if j.src == nil {
		return 0
	}
	return j.src.held()
}

// release gives up what the job holds. It is called once.
func (j *job) release() {
	j.cancel(nil)
	if j.src != nil {
		j.src.done()
	}
	close(j.finished)
}
