package segstore

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// noteUnsaved remembers that the disk failed to take the name's file.
func (d *disk) noteUnsaved(name string) {
	d.mu.Lock()
	d.unsaved[name] = true
	d.mu.Unlock()
	notify(d.failing)
}

// forget takes the name off what is to be saved: it has been, or is not wanted
// any more.
func (d *disk) forget(name string) {
	d.mu.Lock()
	delete(d.unsaved, name)
	d.mu.Unlock()
}

func (d *disk) unsavedCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.unsaved)
}

func (d *disk) unsavedNames() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.unsaved))
}

// retryLoop tries again, from time to time, to save what the disk refused.
func (d *disk) retryLoop(closing <-chan struct{}) {
	defer close(d.retrier)
	for {
		select {
		case <-d.failing:
		case <-closing:
			return
		}
		select {
		case <-time.After(d.retry):
		case <-closing:
			return
		}
		d.retryAll(closing) // what fails again makes failing ready again
	}
}

// retryAll tries one name and, if that works, the rest.
func (d *disk) retryAll(closing <-chan struct{}) {
	for i, name := range d.unsavedNames() {
		j := d.add(name, false)
		if i > 0 {
			continue
		}
		select {
		case <-j.done:
		case <-closing:
			return
		}
		if j.err != nil {
			return
		}
	}
}

// logEvery is the least time between two lines of a rareLog.
const logEvery = 10 * time.Second

// rareLog logs the first of many like messages, and counts the others.
type rareLog struct {
	log *slog.Logger // static

	mu      sync.Mutex // guards the rest
	last    time.Time
	skipped int
}

func (l *rareLog) warn(msg string, args ...any) {
	l.mu.Lock()
	now := time.Now()
	if !l.last.IsZero() && now.Sub(l.last) < logEvery {
		l.skipped++
		l.mu.Unlock()
		return
	}
	skipped := l.skipped
	l.last, l.skipped = now, 0
	l.mu.Unlock()
	l.log.Log(context.Background(), slog.LevelWarn, msg, append(args, "since_last", skipped)...)
}
