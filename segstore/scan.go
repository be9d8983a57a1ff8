package segstore

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// found is a file that was in the directory before the store.
type found struct {
	name string
	mod  time.Time
}

// scan sweeps what a crash left below root, and calls learn with all other
// regular files that have a usable name, the oldest first.
func (s *Store) scan(root *os.Root, learn func(found)) error {
	var all []found
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return unlessTop(name, err)
		}
		if strings.HasPrefix(path.Base(name), tempPrefix) && strings.HasSuffix(name, tempSuffix) && entry.Type().IsRegular() {
			return unlessTop(name, root.Remove(name))
		}
		if !entry.Type().IsRegular() || badName(name) != "" {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return unlessTop(name, err)
		}
		all = append(all, found{name, info.ModTime()})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b found) int {
		if c := a.mod.Compare(b.mod); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	for _, f := range all {
		learn(f)
	}
	return nil
}

// unlessTop lets a walk go on over what it cannot read below the top.
func unlessTop(name string, err error) error {
	if name == "." {
		return err
	}
	return nil
}

// learn enters a file of the directory in its track.
func (s *Store) learn(f found) {
	s.tracks.learn(f.name, arrivals.Add(1), f.mod)
}
