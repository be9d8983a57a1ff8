package access

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// LiveRules are the rules of a file as it is now. Which directories there are,
// and under which names, stays as it was at first. Its methods may be called
// from any goroutine.
type LiveRules struct {
	log   *slog.Logger
	file  *watchedFile
	first *Rules // nil only before the file was read
	now   atomic.Pointer[map[string]*Directory]
}

// WatchRules reads a rule file and follows its changes until Close. A file that
// cannot be used is an error here; later it is one line in the log, and what the
// file said before stays in force.
func WatchRules(path string, log *slog.Logger) (*LiveRules, error) {
	if log == nil {
		log = slog.Default()
	}
	l := &LiveRules{log: log}
	var err error
	l.file, err = watchFile(path, log, func(data []byte) error {
		r, err := loadRules(path, data)
		if err == nil {
			l.take(path, r)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return l, nil
}

// Close ends the watching of the file. The rules stay as they are.
func (l *LiveRules) Close() error { return l.file.close() }

// Rules returns what the file said at first: the directories to serve.
func (l *LiveRules) Rules() *Rules { return l.first }

// Rights returns the rights that a path (see Directory.RightsFor) in a directory
// has now; dir is the Dir of one of Rules. Where the path goes through a symbolic
// link both it and what it leads to must allow what is asked; what leads out of
// the directory, or cannot be found out, is for nobody. Links are looked up at
// the moment of the question, so they are for the operator alone to change. A
// directory that is no longer in the file keeps what it had. One that there never
// was is for nobody.
func (l *LiveRules) Rights(dir, rel string) *Rights {
	if d := (*l.now.Load())[dir]; d != nil {
		return d.rightsThroughLinks(rel)
	}
	return nobody()
}

// HasWrite says whether the rules of the directory say anything of writing now.
func (l *LiveRules) HasWrite(dir string) bool {
	d := (*l.now.Load())[dir]
	return d != nil && d.HasWrite()
}

func (l *LiveRules) take(path string, r *Rules) {
	next := map[string]*Directory{}
	if l.first == nil {
		for i := range r.Directories {
			next[r.Directories[i].Dir] = &r.Directories[i]
		}
		l.first = r
		l.now.Store(&next)
		return
	}
	for dir, before := range *l.now.Load() {
		next[dir] = before
		// It may be below another now; its rights are its section's still.
		for i := range r.sections {
			if s := &r.sections[i]; s.dir == dir {
				d := r.directory(s)
				next[dir] = &d
			}
		}
	}
	l.now.Store(&next)
	l.log.Info("rules loaded anew", "file", path)
	l.warn(path, r)
}

// warn tells what of r needs a restart.
func (l *LiveRules) warn(path string, r *Rules) {
	names := map[string]string{}
	for _, d := range r.Directories {
		names[d.Dir] = d.Name
	}
	for _, d := range l.first.Directories {
		name, there := names[d.Dir]
		switch {
		case !there:
			l.log.Warn("a directory is no longer in the rules; restart to end serving it", "file", path, "dir", d.Dir)
		case name != d.Name:
			l.log.Warn("a directory has another name in the rules; restart to serve it there", "file", path, "dir", d.Dir, "name", name)
		}
		delete(names, d.Dir)
	}
	for _, d := range r.Directories {
		if _, isNew := names[d.Dir]; isNew {
			l.log.Warn("a directory is new in the rules; restart to serve it", "file", path, "dir", d.Dir, "name", d.Name)
		}
	}
}
