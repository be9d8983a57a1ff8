package segstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// errSlow is why a Delete does not know whether the file is gone, and why a
// new file is still in memory.
var errSlow = errors.New("the disk has not answered yet")

// disks returns the directories that the store writes to.
func (s *Store) disks() []*disk {
	var all []*disk
	for _, d := range []*disk{s.disk, s.state} {
		if d != nil {
			all = append(all, d)
		}
	}
	return all
}

// openDisks opens what the options name and learns what is there.
func (s *Store) openDisks() error {
	switch {
	case s.opt.Dir != "":
		return s.openDir()
	case s.opt.StateDir != "":
		return s.openState()
	}
	return nil
}

func (s *Store) openDir() error {
	root, err := openRoot(s.opt.Dir, !s.opt.ReadOnly)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if !s.opt.ReadOnly {
		if err := writable(root); err != nil {
			_ = root.Close() // nothing was written
			return fmt.Errorf("open store: %w", err)
		}
		if err := s.scan(root, s.learn); err != nil {
			_ = root.Close() // nothing was written
			return fmt.Errorf("open store: %w", err)
		}
	}
	s.disk = newDisk(root, &s.opt, s.closing, s.bring)
	return nil
}

// writable returns an error when nothing can ever be written below root. A
// disk that is full, or fails otherwise, may mend: it does not count.
func writable(root *os.Root) error {
	const probe = tempPrefix + "probe" + tempSuffix // swept like all its kind
	f, err := root.OpenFile(probe, os.O_CREATE|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s cannot be written to: %w", root.Name(), err)
	case err != nil:
		return nil
	}
	return errors.Join(f.Close(), root.Remove(probe))
}

func openRoot(dir string, create bool) (*os.Root, error) {
	if create {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return os.OpenRoot(dir)
}

// findOnDisk returns the File of a name for which the registry has f, a file
// on disk, or nothing.
func (s *Store) findOnDisk(name string, f *File) (*File, error) {
	info, err := s.disk.root.Stat(name)
	known := f != nil && err == nil && f.view.Load().disk.same(info)
	if known {
		return f, nil
	}
	if now := s.seen(name); now != f && now != nil && now.View().State() != Pending {
		return now, nil // it was replaced since
	}
	if f != nil && err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, nil // the disk fails; opening it tells
	}
	if f != nil {
		s.vanished(name, f, err == nil && info.Mode().IsRegular())
	}
	switch {
	case err != nil:
		return nil, nil
	case info.IsDir():
		return nil, ErrIsDir
	case !info.Mode().IsRegular():
		return nil, nil
	}
	return s.disk.transient(name, info), nil
}

// vanished drops a File that somebody else removed from disk, or replaced there.
func (s *Store) vanished(name string, f *File, replaced bool) {
	dropped := false
	s.reg.change(name, func(e *entry) {
		if dropped = e.complete != nil && e.complete.file == f; dropped {
			e.complete = nil
		}
	})
	if dropped && !replaced {
		s.tracks.gone(name)
	}
}

// keep makes a new version as durable as the store does, and drops what
// MaxCacheSegs lets go for it.
func (s *Store) keep(v *version, victims []victim) error {
	s.drop(victims)
	if s.disk != nil {
		return s.saveAndRemove(v, victims)
	}
	s.evictable(v)
	if s.state != nil && v.kind == Init {
		_ = s.state.wait(nil, s.state.add(v.name, false)) // counted and logged
	}
	return nil
}

// saveAndRemove waits until the version is on disk and the victims are not.
// Only what the disk does not take in time may be evicted from memory.
func (s *Store) saveAndRemove(v *version, victims []victim) error {
	s.saving.Add(1)
	defer s.saving.Add(-1)
	jobs := []*job{s.disk.add(v.name, false)}
	for _, old := range victims {
		jobs = append(jobs, s.disk.add(old.name, true))
	}
	err := s.disk.wait(errSlow, jobs...)
	if err != nil {
		s.evictable(v)
	}
	if errors.Is(err, errSlow) {
		if s.opt.Sync {
			return fmt.Errorf("%w: %w", ErrUnsaved, err)
		}
		return nil
	}
	return err
}

// removed removes a name that was forgotten from disk as well.
func (s *Store) removed(name string) error {
	switch {
	case s.disk != nil:
		return s.disk.wait(errSlow, s.disk.add(name, true))
	case s.state != nil:
		_ = s.state.wait(nil, s.state.add(name, true)) // counted and logged
	}
	return nil
}

// bring brings the directory to what the registry says of the name.
func (s *Store) bring(name string, remove bool) error {
	d, v := s.disk, s.reg.complete(name)
	if v == nil || v.file.view.Load().disk != nil {
		d.forget(name)
		if v == nil && remove {
			return d.removeLogged(name)
		}
		return nil
	}
	v.file.hold() // its memory is in use even if it is evicted meanwhile
	defer v.file.release()
	at, err := d.save(v, s.isCurrent)
	if at != nil {
		s.moveToDisk(v, at)
	}
	return d.settled(v, err, s.isCurrent)
}

func (s *Store) isCurrent(v *version) bool { return s.reg.complete(v.name) == v }

// settled notes how the saving of a version ended.
func (d *disk) settled(v *version, err error, current func(*version) bool) error {
	if err == nil {
		d.forget(v.name)
		return nil
	}
	d.failed("save", v.name, err)
	d.noteUnsaved(v.name)
	if !current(v) {
		d.forget(v.name)
	}
	return fmt.Errorf("%w: %w", ErrUnsaved, err)
}

func (d *disk) removeLogged(name string) error {
	err := d.remove(name)
	if err != nil {
		d.failed("remove", name, err)
	}
	return err
}

// moveToDisk lets a File on disk take the name of one in memory.
func (s *Store) moveToDisk(v *version, at *diskFile) {
	before := v.file.View()
	f := newDiskFile(v.name, before.Head(), at, before.Size(), before.ModTime())
	f.setKind(v.kind)
	moved := false
	s.reg.change(v.name, func(e *entry) {
		if moved = e.complete == v; moved {
			e.complete = &version{file: f, name: v.name, kind: v.kind, arrival: v.arrival}
		}
	})
	if moved {
		s.retire(v)
		s.boundDisk(v.name)
	}
}

// mostOnDisk bounds the files on disk that the registry knows. Of older ones
// only what the directory knows is left: not the uploader's Content-Type.
const mostOnDisk = 1 << 16

// boundDisk enters a name that went to disk and forgets the oldest beyond
// mostOnDisk.
func (s *Store) boundDisk(name string) {
	old := s.onDisk.push(name)
	if old == "" || old == name {
		return
	}
	s.reg.change(old, func(e *entry) {
		if e.complete != nil && e.complete.file.view.Load().disk != nil {
			e.complete = nil
		}
	})
}

// ring remembers the last mostOnDisk names.
type ring struct {
	mu    sync.Mutex // guards the rest
	names []string
	next  int
}

// push enters a name and returns the one that it pushed out, or "".
func (r *ring) push(name string) (old string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.names) < mostOnDisk {
		r.names = append(r.names, name)
		return ""
	}
	old, r.names[r.next] = r.names[r.next], name
	r.next = (r.next + 1) % mostOnDisk
	return old
}
