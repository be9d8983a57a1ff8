package segstore

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// lanes are queues with a goroutine each. All jobs of a name go through one
// lane, so that they are done in the order they were added.
type lanes struct {
	// Static.
	work func(name string, remove bool) error
	seed maphash.Seed
	all  [4]lane

	abandoned atomic.Bool // do no more than what has begun
	running   sync.WaitGroup
}

type lane struct {
	mu     sync.Mutex // guards the rest
	queue  []*job
	closed bool
	wake   chan struct{} // static; has an element when the rest has changed
}

// job is a name's turn.
type job struct {
	name   string
	remove bool
	do     func() error  // what to do instead of the lanes' work; may be nil
	done   chan struct{} // closed when err is valid
	err    error
}

func newLanes(work func(name string, remove bool) error) *lanes {
	l := &lanes{work: work, seed: maphash.MakeSeed()}
	for i := range l.all {
		ln := &l.all[i]
		ln.wake = make(chan struct{}, 1)
		l.running.Go(func() { l.run(ln) })
	}
	return l
}

// add queues a job. After close the job has failed with ErrClosed already.
func (l *lanes) add(name string, remove bool) *job {
	return l.queue(&job{name: name, remove: remove})
}

// addDo queues a job of its own kind in the name's turn.
func (l *lanes) addDo(name string, do func() error) *job {
	return l.queue(&job{name: name, do: do})
}

func (l *lanes) queue(j *job) *job {
	j.done = make(chan struct{})
	ln := &l.all[maphash.String(l.seed, j.name)%uint64(len(l.all))]
	ln.mu.Lock()
	closed := ln.closed
	if !closed {
		ln.queue = append(ln.queue, j)
	}
	ln.mu.Unlock()
	if closed {
		j.end(ErrClosed)
		return j
	}
	notify(ln.wake)
	return j
}

func (j *job) end(err error) {
	j.err = err
	close(j.done)
}

// notify puts an element into a channel that has room for one.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run does the jobs of a lane until it is closed and empty.
func (l *lanes) run(ln *lane) {
	for {
		jobs, closed := ln.take()
		for _, j := range jobs {
			if l.abandoned.Load() {
				j.end(ErrClosed)
				continue
			}
			if j.do != nil {
				j.end(j.do())
				continue
			}
			j.end(l.work(j.name, j.remove))
		}
		if closed {
			return
		}
		if len(jobs) == 0 {
			<-ln.wake
		}
	}
}

func (ln *lane) take() (jobs []*job, closed bool) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	jobs, ln.queue = ln.queue, nil
	return jobs, ln.closed
}

// close takes no more jobs and returns once the queued ones are done, or with
// the cause of ctx; then what has not begun is never done.
func (l *lanes) close(ctx context.Context) error {
	for i := range l.all {
		ln := &l.all[i]
		ln.mu.Lock()
		ln.closed = true
		ln.mu.Unlock()
		notify(ln.wake)
	}
	ended := make(chan struct{})
	go func() {
		l.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		l.abandoned.Store(true)
		return context.Cause(ctx)
	}
}
