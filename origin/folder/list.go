package folder

import (
	"cmp"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// list watches the directory anew with all below it, and looks at all that is
// there or was. The watcher is a new one: what it lost may be the move of a
// directory. It is done again soon if there is one that cannot be watched.
func (l *loop) list() {
	began := time.Now()
	if l.watcher != nil {
		_ = l.watcher.Close() // it has nothing to lose
	}
	l.relist = time.Time{}
	clear(l.dirs)
	var err error
	if l.watcher, err = l.watch(); err != nil {
		l.unwatched(l.opt.Dir, err)
	}
	visit := l.reconcile
	if !l.started && !l.opt.Existing {
		visit = l.leave
	}
	l.started = true
	before := l.known("")
	for _, name := range l.enter("") {
		visit(name)
	}
	for _, name := range before {
		l.reconcile(name)
	}
	l.listed = time.Now()
	if !l.relist.IsZero() {
		l.relist = l.listed.Add(max(l.beat, 20*l.listed.Sub(began)))
	}
}

// dirChanged looks at a directory that came or went, or did both.
func (l *loop) dirChanged(dir string) {
	for d := range l.dirs {
		if d == dir || below(d, dir) {
			delete(l.dirs, d)
			if l.watcher != nil {
				_ = l.watcher.Remove(l.full(d)) // it may have gone by itself
			}
		}
	}
	if l.isDir(dir) {
		for _, name := range l.enter(dir) {
			l.reconcile(name)
		}
	}
	for _, name := range l.known(dir) {
		l.reconcile(name)
	}
}

// known returns the names that are known below the directory.
func (l *loop) known(dir string) (names []string) {
	for name := range l.entries {
		if below(name, dir) {
			names = append(names, name)
		}
	}
	return names
}

// found is a file in a listing.
type found struct {
	name string
	kind segstore.Kind
	mod  int64 // in seconds
}

// enter watches a directory and all below it, and returns the names of its
// files in the order in which they are to be taken. It is listed after it is
// watched, so that no file is missed.
func (l *loop) enter(dir string) []string {
	var all []found
	for dirs := []string{dir}; len(dirs) > 0; {
		d := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		l.dirs[d] = struct{}{}
		l.watchDir(d)
		list, err := l.readDir(d)
		if err != nil && !isGone(err) {
			l.notes.skipped(d, err)
		}
		for _, e := range list {
			file := path.Join(d, e.Name())
			switch {
			case hidden(file):
			case e.IsDir():
				dirs = append(dirs, file)
			default:
				name, _ := nameOf(file)
				all = append(all, found{name, segstore.KindOf(name), modSeconds(e)})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(rank(a.kind), rank(b.kind)), cmp.Compare(a.mod, b.mod),
			cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return names
}

// rank orders kinds: what is needed to play the rest comes first, what names
// the rest last.
func rank(k segstore.Kind) int {
	switch k {
	case segstore.Init:
		return 0
	case segstore.Manifest:
		return 2
	case segstore.Other, segstore.Segment, segstore.Part:
	}
	return 1
}

// modSeconds rounds, so that files that were copied together go by their names.
func modSeconds(e fs.DirEntry) int64 {
	info, err := e.Info()
	if err != nil {
		return 0 // it has gone
	}
	return info.ModTime().Unix()
}

func (l *loop) full(dir string) string { return filepath.Join(l.opt.Dir, filepath.FromSlash(dir)) }

func (l *loop) watchDir(dir string) {
	if l.watcher == nil {
		return
	}
	if err := l.watcher.Add(l.full(dir)); err != nil && !isGone(err) {
		l.unwatched(l.full(dir), err)
	}
}

// unwatched has all listed again by and by.
func (l *loop) unwatched(dir string, err error) {
	if l.relist.IsZero() {
		l.relist = time.Now().Add(l.beat)
	}
	l.notes.once("unwatched "+err.Error(), "watched folder: no events; listing it again and again instead", "dir", dir, "err", err)
}

func (l *loop) readDir(dir string) ([]fs.DirEntry, error) {
	f, err := l.root.Open(cmp.Or(dir, "."))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	return f.ReadDir(-1)
}
