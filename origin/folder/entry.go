package folder

import (
	"io/fs"
	"os"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// entry is what is known of a name in the store.
type entry struct {
	name   string
	at     [2]slot // what lies under its paths, by way
	alive  int     // followers that run, be they told to end
	given  bool    // the store has a version of it from here
	sum    digest  // of that, for a manifest
	newest segstore.Arrival
}

// slot is what is known of one path.
type slot struct {
	info  fs.FileInfo // of the file that is there; nil if there is none
	moved bool        // that came by a rename, and was not dealt with
	f     *follower   // that follows it or waits for its turn; or nil

	// Of the last follower that ended.
	done  ident // the content that was dealt with
	again bool  // that shall be tried again
	tries int   // in a row that came to nothing
	due   time.Time
}

// mostTries bounds how often a content that is refused is offered.
const mostTries = 6

// wants reports that what is there has not been dealt with.
func (s *slot) wants() bool {
	return s.info != nil && s.f == nil && (identOf(s.info) != s.done || s.again && s.tries < mostTries)
}

// reconcile brings what is done about a name in line with what is on disk. It
// may be called at any time.
func (l *loop) reconcile(name string) {
	e := l.entry(name)
	if e == nil {
		return
	}
	var infos [2]fs.FileInfo
	for w := range infos {
		file := pathOf(name, way(w))
		info, err := l.stat(file)
		if err != nil {
			l.notes.skipped(file, err)
			info = e.at[w].info // as it was, until it is known
		}
		infos[w] = info
	}
	if e.renamed(infos) {
		l.rename(e)
	}
	for w := range infos {
		l.place(e, way(w), infos[w])
	}
	l.forget(e)
}

// entry returns the entry of the name, or nil if it is none for the store.
func (l *loop) entry(name string) *entry {
	if e := l.entries[name]; e != nil {
		return e
	}
	if err := usable(name); err != nil {
		l.notes.skipped(name, err)
		return nil
	}
	e := &entry{name: name}
	l.entries[name] = e
	return e
}

// leave takes note of what is there and does nothing about it.
func (l *loop) leave(name string) {
	e := l.entry(name)
	if e == nil {
		return
	}
	for w := range e.at {
		info, err := l.stat(pathOf(name, way(w)))
		if err == nil && info != nil {
			e.at[w] = slot{info: info, done: identOf(info)}
		}
	}
	l.forget(e)
}

// renamed reports that the file that was NAME.tmp is NAME now.
func (e *entry) renamed(now [2]fs.FileInfo) bool {
	was := e.at[asTemp].info
	return was != nil && now[inPlace] != nil && os.SameFile(was, now[inPlace]) &&
		(now[asTemp] == nil || !os.SameFile(was, now[asTemp]))
}

// rename moves what is known of NAME.tmp to NAME. Its upload goes on, unless a
// later one has been under way: that would keep the name.
func (l *loop) rename(e *entry) {
	from := e.at[asTemp]
	l.tell(&e.at[inPlace], errReplaced)
	e.at[asTemp] = slot{}
	e.at[inPlace] = slot{info: from.info, moved: true, f: e.at[inPlace].f}
	switch f := from.f; {
	case f == nil:
	case f.turn.told || !f.turn.started || f.arrival < e.newest:
		l.tell(&from, errReplaced)
	default:
		f.verdicts <- verdict{} // has room
		e.at[inPlace].f = f
	}
}

// cameByRename is told that NAME.tmp was renamed, perhaps before it was seen.
// What is NAME now is taken to be that.
func (l *loop) cameByRename(name string) {
	e := l.entries[name]
	if e == nil || e.at[inPlace].info == nil || e.at[inPlace].moved {
		return
	}
	s := &e.at[inPlace]
	s.moved = true
	switch f := s.f; {
	case f == nil || f.turn.told:
	case f.turn.started:
		f.verdicts <- verdict{} // has room: it was not moved before
	default:
		f.moved = true
	}
}

// place takes note of what is at a path, and has it followed if that is new.
func (l *loop) place(e *entry, w way, info fs.FileInfo) {
	s := &e.at[w]
	switch {
	case info == nil:
		l.tell(s, errDeleted)
		*s = slot{f: s.f}
		return
	case s.info != nil && !os.SameFile(s.info, info):
		l.tell(s, errReplaced)
		*s = slot{f: s.f}
	}
	s.info = info
	switch {
	case w == asTemp && isManifest(e.name): // is read once it has its name
	case !s.wants():
	case time.Now().Before(s.due):
		l.putOff(e.name, s.due)
	default:
		l.follow(e, w)
	}
}

// putOff has the name looked at again when it is due.
func (l *loop) putOff(name string, due time.Time) {
	if at, ok := l.late[name]; !ok || due.Before(at) {
		l.late[name] = due
	}
}

// forget deletes from the store what is on disk no more.
func (l *loop) forget(e *entry) {
	if e.alive > 0 || e.at[inPlace].info != nil || e.at[asTemp].f != nil {
		return
	}
	if e.given {
		e.given, e.sum = false, digest{}
		if err := l.sink.delete(e.name); err != nil && !isMissing(err) {
			l.notes.once("delete "+rootCause(err).Error(), "watched folder: the store did not delete a file", "file", e.name, "err", err)
		}
	}
	if e.at[asTemp].info == nil {
		delete(l.entries, e.name)
		delete(l.late, e.name)
	}
}
