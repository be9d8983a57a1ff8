package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/headwater-origin/headwater/origin"
)

// mounts returns the mounts that the flags make.
func (f *mountFlags) mounts(g given) ([]origin.Mount, error) {
	m := f.mount()
	source, used, err := f.Source.source(g)
	switch {
	case err != nil:
		return nil, err
	case used:
		m.Source, m.Write, m.Read = source, true, false
		return []origin.Mount{m}, notWith(g, "hmode source", "rdirs", "wdir", "input", "watch", "push")
	case g.has("input"):
		m.Relay, m.Write = f.Relay.relay(), f.Relay.Input == "put"
		return []origin.Mount{m}, notWith(g, "input", "rdirs", "wdir", "watch", "push")
	}
	return f.stores(g, m)
}

// stores returns a mount like m for each directory that --rdirs and --wdir name.
func (f *mountFlags) stores(g given, m origin.Mount) ([]origin.Mount, error) {
	if err := f.checkStores(g); err != nil {
		return nil, err
	}
	m.Write = f.Write
	if len(f.RDirs) == 0 && f.WDir == "" {
		m.Store, m.Write = origin.GMem, f.Write || !g.has("write") && f.Watch == ""
		if !m.Write && f.Watch == "" {
			return nil, errNothing
		}
		return []origin.Mount{m}, nil
	}
	var list []origin.Mount
	for _, dir := range f.RDirs {
		r := m
		r.Store = dir
		if len(f.RDirs) > 1 && !isFile(dir) {
			r.Path = path.Join(m.Path, filepath.Base(filepath.Clean(dir)))
		}
		list = append(list, r)
	}
	if f.WDir == "" {
		return list, nil
	}
	if len(list) == 1 && filepath.Clean(f.RDirs[0]) == filepath.Clean(f.WDir) {
		list[0].Write = true
		return list, nil
	}
	w := m
	w.Store, w.Read, w.Write = f.WDir, false, true
	return append(list, w), nil
}

var errNothing = errors.New("--rdirs: nothing could ever be in gmem without --write")

func (f *mountFlags) checkStores(g given) error {
	switch {
	case g.has("rdirs") && (len(f.RDirs) == 0 || slices.Contains(f.RDirs, "")):
		return errors.New("--rdirs: names no directory")
	case g.has("wdir") && f.WDir == "":
		return errors.New("--wdir: names no directory")
	case g.has("wdir") && g.has("write") && !f.Write:
		return errors.New("--wdir: contradicts --write=false")
	case isFile(f.WDir):
		return fmt.Errorf("--wdir: %s is a file; a rule file stands in --rdirs", f.WDir)
	case slices.Contains(f.RDirs, origin.GMem) && !f.Write && f.WDir != origin.GMem && f.Watch == "":
		return errNothing
	}
	return nil
}

// isFile says that the path is that of a file: a rule file.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
