package folder

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"github.com/headwater-origin/headwater/segstore"
)

// happened takes an event. What there is to know is looked up: an event says
// only where.
func (l *loop) happened(e fsnotify.Event) {
	rel, err := filepath.Rel(l.opt.Dir, e.Name)
	file := filepath.ToSlash(rel)
	switch {
	case err != nil || l.root == nil:
		return
	case file == ".":
		l.hurry()
		l.check()
		return
	case hidden(file):
		return
	}
	if e.Has(fsnotify.Remove | fsnotify.Rename) {
		l.hurry()
	}
	_, wasDir := l.dirs[file]
	switch {
	case !e.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename):
		if !wasDir {
			l.grew(file)
		}
	case wasDir || e.Has(fsnotify.Create) && l.isDir(file):
		l.dirChanged(file)
	default:
		name, w := nameOf(file)
		if e.Has(fsnotify.Create) {
			l.nudge(name)
		}
		l.reconcile(name)
		if w == asTemp && e.Has(fsnotify.Rename) {
			l.cameByRename(name)
		}
	}
}

// grew wakes who follows the file; one that nobody follows may be new again.
func (l *loop) grew(file string) {
	name, w := nameOf(file)
	if e := l.entries[name]; e != nil && e.at[w].f != nil {
		signal(e.at[w].f.grew)
		return
	}
	l.reconcile(name)
}

// nudge has those files looked at that the packager will have closed, now that
// it has begun the next of their track.
func (l *loop) nudge(name string) {
	track, ok := segstore.TrackOf(name)
	if !ok {
		return
	}
	for f := range l.running {
		if f.track == track {
			signal(f.nudged)
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}
