package folder

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

var (
	errWatcher = errors.New("the watcher of the system has ended")
	errAnother = errors.New("another directory has its name")
)

// loop is all that is known of the directory while it is followed. It belongs
// to the goroutine of Run.
type loop struct {
	*Folder
	tools   *tools // of the root
	notes   *notes
	entries map[string]*entry // by the name in the store
	queue   queue
	running map[*follower]struct{}
	media   int // of running, that are no manifests
	done    sync.WaitGroup

	root     *os.Root // nil while there is no directory
	rootInfo fs.FileInfo
	watcher  watcher             // nil when there is none
	dirs     map[string]struct{} // in the folder
	missing  bool                // it was said that there is no directory
	started  bool                // the directory was listed once
	listed   time.Time           // at last

	timer   *time.Timer          // of the next beat
	hurried bool                 // that comes before its time
	pause   time.Duration        // to the next try to open the directory
	relist  time.Time            // when it is listed again, because events were lost; or zero
	late    map[string]time.Time // names that are looked at again then
}

// Run follows the directory until ctx is done, then aborts the uploads that are
// under way, and returns nil once all has ended. A directory that goes away is
// waited for.
func (f *Folder) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	l := f.newLoop()
	defer func() {
		cancel()
		l.done.Wait() // reports has room for all that they still tell
		l.timer.Stop()
		l.close()
	}()
	for {
		var events <-chan fsnotify.Event
		var errs <-chan error
		if l.watcher != nil {
			events, errs = l.watcher.events(), l.watcher.errors()
		}
		select {
		case <-ctx.Done():
			return nil
		case r := <-l.tools.reports:
			l.reported(r)
		case e, ok := <-events:
			if !ok {
				l.ended()
				break
			}
			l.happened(e)
		case err, ok := <-errs:
			if !ok {
				l.ended()
				break
			}
			l.lost(err)
		case <-l.timer.C:
			l.hurried = false
			l.timer.Reset(l.look(time.Now()))
		}
		l.fill(ctx)
	}
}

func (f *Folder) newLoop() *loop {
	return &loop{
		Folder: f,
		tools: &tools{
			sink: f.sink, writers: f.writers, quiet: f.opt.Quiet, seed: maphash.MakeSeed(),
			buffers: &sync.Pool{New: func() any { return new([pieceSize]byte) }},
			reports: make(chan report, 2*(f.most+f.mostManifests())), // each has two, at most
		},
		notes:   newNotes(f.opt.Log),
		entries: make(map[string]*entry),
		running: make(map[*follower]struct{}),
		dirs:    make(map[string]struct{}),
		late:    make(map[string]time.Time),
		timer:   time.NewTimer(0),
	}
}

// look sees to the directory and to what was put off, and returns when to look
// again.
func (l *loop) look(now time.Time) time.Duration {
	if l.root != nil {
		l.check()
	}
	if l.root == nil && !l.open() {
		l.pause = min(max(2*l.pause, l.beat/16), 2*l.beat)
		return l.pause
	}
	if !l.relist.IsZero() && !now.Before(l.relist) {
		l.list()
	}
	for name, due := range l.late {
		if !now.Before(due) {
			delete(l.late, name)
			l.reconcile(name)
		}
	}
	l.release(now.Add(-patience * l.opt.Quiet))
	return l.beat
}

// open takes up the directory.
func (l *loop) open() bool {
	root, err := os.OpenRoot(l.opt.Dir)
	if err != nil {
		l.gone(err)
		return false
	}
	info, err := root.Stat(".")
	if err != nil {
		_ = root.Close() // nothing was read
		return false
	}
	if l.missing {
		l.opt.Log.Info("watched folder is there again", "dir", l.opt.Dir)
	}
	l.root, l.rootInfo, l.pause, l.missing = root, info, 0, false
	next := *l.tools
	next.root = root // followers of the one before keep theirs
	l.tools = &next
	l.list()
	return true
}

// gone logs, once each time, that there is no directory to follow.
func (l *loop) gone(err error) {
	if !l.missing {
		l.missing = true
		l.opt.Log.Warn("watched folder has gone; waiting until it is there again", "dir", l.opt.Dir, "err", err)
	}
}

// check finds whether the directory is still the one that is followed. What was
// in one that has gone is gone.
func (l *loop) check() {
	info, err := os.Stat(l.opt.Dir)
	switch {
	case err == nil && os.SameFile(info, l.rootInfo):
		return
	case err != nil && !isGone(err):
		l.notes.once("dir "+err.Error(), "watched folder: cannot look at it", "err", err)
		return
	}
	if err == nil {
		err = errAnother
	}
	l.gone(err)
	l.close()
	for _, name := range l.known("") {
		l.reconcile(name)
	}
}

func (l *loop) close() {
	if l.watcher != nil {
		_ = l.watcher.Close() // it has nothing to lose
	}
	if l.root != nil {
		_ = l.root.Close() // only read from
	}
	l.root, l.watcher, l.relist = nil, nil, time.Time{}
	clear(l.dirs)
}

// hurry brings the next look forward: when files go, the directory may, too.
func (l *loop) hurry() {
	if !l.hurried {
		l.hurried = true
		l.timer.Reset(l.beat / 16)
	}
}

// lost is told that events were lost. The directory is listed again, but not
// all the time.
func (l *loop) lost(err error) {
	l.notes.once("watch "+err.Error(), "watched folder: events were lost; listing it again", "err", err)
	l.relist = l.listed.Add(l.beat)
	l.hurry()
}

// ended is told that the watcher has ended by itself.
func (l *loop) ended() {
	l.watcher = nil
	l.lost(errWatcher)
}
