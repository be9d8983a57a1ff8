package segstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Errors of List. They are wrapped with the name they are about.
var (
	ErrNotDir = errors.New("is not a directory")
	// ErrTruncated comes with the entries that were found until then.
	ErrTruncated = errors.New("has more entries than are listed")
)

// mostEntries bounds what List returns.
const mostEntries = 10000

// Entry is what a directory has under a name.
type Entry struct {
	Name    string // without the directory
	Dir     bool
	Size    int64     // in bytes, of a growing file those published so far; 0 for a directory
	ModTime time.Time // zero for a growing file; of a directory in memory, of the newest file below it
	Growing bool
}

// List returns what lies directly in a directory, sorted by name; "" is the
// top. It leaves out names that begin with a dot, and manifests until they are
// complete. Of more than 10,000 entries it returns so many, not always the
// same, with an error that wraps ErrTruncated. Other errors are a *MissingError
// when there is no such directory, which the top never is, or wrap ErrNotDir or
// ErrName. It looks at each name that is in memory.
func (s *Store) List(dir string) ([]Entry, error) {
	l := listing{dir: dir, entries: make(map[string]Entry)}
	err := s.list(&l)
	if err == nil && l.truncated {
		err = ErrTruncated
	}
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		err = fmt.Errorf("list %q: %w", dir, err)
	}
	return slices.SortedFunc(maps.Values(l.entries), func(a, b Entry) int {
		return strings.Compare(a.Name, b.Name)
	}), err
}

// IsDir reports whether there is a directory of the name; "" is the top. In
// memory there is one when a file lies below it. It looks at each name that is
// in memory.
func (s *Store) IsDir(name string) bool {
	if name == "" {
		return true
	}
	if badName(name) != "" {
		return false
	}
	if s.disk != nil {
		if info, err := s.disk.root.Stat(name); err == nil && info.IsDir() {
			return true
		}
	}
	found := false
	s.below(name, func(string, *File) bool {
		found = true
		return false
	})
	return found
}

// listing is a directory while it is read.
type listing struct {
	dir       string
	there     bool // the directory exists, or is the top
	truncated bool
	entries   map[string]Entry
}

// add enters an entry, in place of one of the same name.
func (l *listing) add(e Entry) {
	switch old, known := l.entries[e.Name]; {
	case strings.HasPrefix(e.Name, "."):
	case !known && len(l.entries) >= mostEntries:
		l.truncated = true
	case known && old.Dir && e.Dir && old.ModTime.After(e.ModTime):
	default:
		l.entries[e.Name] = e
	}
}

func (s *Store) list(l *listing) error {
	l.there = l.dir == ""
	if !l.there {
		if err := ValidName(l.dir); err != nil {
			return err
		}
	}
	if s.disk != nil {
		if err := s.disk.list(l); err != nil {
			return err
		}
	}
	s.below(l.dir, func(rest string, f *File) bool {
		l.there = true
		l.addFile(rest, f.View())
		return !l.truncated
	})
	if l.there {
		return nil
	}
	if f := s.seen(l.dir); f != nil {
		return ErrNotDir
	}
	return &MissingError{Name: l.dir}
}

// addFile enters a file in memory by its path below the directory.
func (l *listing) addFile(rest string, v View) {
	name, _, deeper := strings.Cut(rest, "/")
	if deeper {
		l.add(Entry{Name: name, Dir: true, ModTime: v.ModTime()})
		return
	}
	l.add(Entry{Name: name, Size: v.Size(), ModTime: v.ModTime(), Growing: v.State() == Growing})
}

// below calls fn, without a lock, with the Files that are in memory and lie
// below the directory, and their path there, until fn returns false.
func (s *Store) below(dir string, fn func(rest string, f *File) bool) {
	prefix := dir + "/"
	if dir == "" {
		prefix = ""
	}
	for i := range s.reg.shards {
		for _, f := range s.shardBelow(&s.reg.shards[i], prefix) {
			if !fn(f.name[len(prefix):], f) {
				return
			}
		}
	}
}

func (s *Store) shardBelow(sh *shard, prefix string) (files []*File) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for name, e := range sh.entries {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if f := e.readable(s.policy(name)); f != nil && f.view.Load().disk == nil {
			files = append(files, f)
		}
	}
	return files
}

// list reads the directory on disk. One that is not there is no error.
func (d *disk) list(l *listing) error {
	at := path.Join(".", l.dir)
	info, err := d.root.Stat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return ErrNotDir
	}
	f, err := d.root.Open(at)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	l.there = true
	for !l.truncated {
		found, err := f.ReadDir(1000)
		for _, e := range found {
			d.listEntry(l, e)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// listEntry enters what is a file or a directory, or a link to one below root.
func (d *disk) listEntry(l *listing, e fs.DirEntry) {
	if strings.HasPrefix(e.Name(), ".") || badComponent(e.Name()) != "" {
		return
	}
	info, err := d.root.Stat(path.Join(l.dir, e.Name()))
	switch {
	case err != nil:
		return // gone meanwhile, or a link that leads nowhere
	case info.IsDir():
		l.add(Entry{Name: e.Name(), Dir: true, ModTime: info.ModTime()})
	case info.Mode().IsRegular():
		l.add(Entry{Name: e.Name(), Size: info.Size(), ModTime: info.ModTime()})
	}
}
