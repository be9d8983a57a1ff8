package segstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
)

// diskImage is an image in a temporary file beside the one it is of.
type diskImage struct {
	// Static.
	disk *disk
	temp string // below root
	head Head

	osFile *os.File // nil once closed
	at     int64    // its offset
	size   int64
	turn   atomic.Bool // its commit has begun, or was given up
	placed bool        // it has the place of the file: nothing is left to remove
}

// imageOf copies a file to a temporary one.
func (d *disk) imageOf(name string, old *Body, h Head) (image, error) {
	m := &diskImage{disk: d, head: h}
	err := m.open(dirOf(name))
	if err == nil {
		err = m.copyFrom(old)
	}
	if err != nil {
		m.discard(err)
		d.failed("patch", name, err)
		return nil, err
	}
	return m, nil
}

// open makes the temporary file, and the directory if the base is not saved.
func (m *diskImage) open(dir string) (err error) {
	for range saveTries {
		if dir != "" {
			if err := m.disk.root.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		temp := path.Join(dir, tempPrefix+rand.Text()+tempSuffix)
		m.osFile, err = m.disk.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			m.temp = temp
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// copyFrom copies within the disk where it can.
func (m *diskImage) copyFrom(old *Body) error {
	if f := old.OnDisk(); f != nil {
		n, err := io.Copy(m.osFile, io.LimitReader(f, old.Size()))
		if err == nil && n < old.Size() {
			err = fmt.Errorf("%w: it is shorter by now", ErrChanged)
		}
		m.at, m.size = n, n
		return err
	}
	for _, p := range old.AppendSlices(nil, 0, old.Size()) {
		if err := m.writeAt(p, m.size); err != nil {
			return err
		}
	}
	return nil
}

func (m *diskImage) writeAt(p []byte, off int64) error {
	if off != m.at {
		if _, err := m.osFile.Seek(off, io.SeekStart); err != nil {
			return err
		}
	}
	n, err := m.disk.write(m.osFile, p)
	m.at = off + int64(n)
	m.size = max(m.size, m.at)
	if err != nil {
		m.disk.failed("patch", m.temp, err)
	}
	return err
}

func (m *diskImage) discard(error) {
	if m.osFile != nil {
		_ = m.osFile.Close() // it is not wanted
		m.osFile = nil
	}
	if m.temp != "" && !m.placed {
		_ = m.disk.root.Remove(m.temp) // what stays is swept at the next start
	}
}

// commit renames the image in the name's turn, behind all that was saved or
// removed before and ahead of all that comes.
func (m *diskImage) commit(p *PatchWriter) (*File, error) {
	at, err := m.finish(p)
	if err != nil {
		m.disk.failed("patch", p.name, err)
		return nil, err
	}
	var f *File
	j := m.disk.lanes.addDo(p.name, func() (err error) {
		if m.turn.Swap(true) {
			return nil // it was given up
		}
		f, err = p.store.place(p, m, at)
		return err
	})
	err = m.disk.wait(errSlow, j)
	if errors.Is(err, errSlow) {
		if !m.turn.Swap(true) {
			return nil, err
		}
		<-j.done // it has begun: too late to give it up
		err = j.err
	}
	if f != nil {
		p.store.tellCreated(f)
	}
	return f, err
}

// finish makes the temporary file what it is to be.
func (m *diskImage) finish(p *PatchWriter) (*diskFile, error) {
	mod := modTimeAfter(p.base.View().ModTime())
	var err error
	if m.disk.sync {
		err = m.osFile.Sync()
	}
	err = errors.Join(err, m.osFile.Close())
	m.osFile = nil
	if err == nil {
		err = m.disk.root.Chtimes(m.temp, mod, mod)
	}
	if err != nil {
		return nil, err
	}
	info, err := m.disk.root.Lstat(m.temp)
	if err != nil {
		return nil, err
	}
	return &diskFile{root: m.disk.root, path: p.name, size: info.Size(), mod: info.ModTime()}, nil
}

// place puts the image where the base is, if that is still the version. It is
// called in the name's turn.
func (s *Store) place(p *PatchWriter, m *diskImage, at *diskFile) (*File, error) {
	d, v := s.disk, s.reg.complete(p.name)
	if !s.stands(p, v) {
		return nil, ErrChanged
	}
	if err := d.rename(m.temp, p.name); err != nil {
		d.failed("patch", p.name, err)
		return nil, err
	}
	m.placed = true
	m.head.Length = at.size
	f := newDiskFile(p.name, m.head, at, at.size, at.mod)
	if v != nil {
		f.setKind(v.kind)
		if old, _ := s.replace(v.file, f); old != nil { // else a newer one, or a removal, is next in turn
			s.retire(old)
			d.forget(p.name)
		}
	}
	if d.sync {
		if err := d.syncDir(dirOf(p.name)); err != nil {
			d.failed("patch", p.name, err)
			return f, fmt.Errorf("%w: %w", ErrUnsaved, err)
		}
	}
	return f, nil
}

// stands reports whether the base is the version that the name has: v, or what
// lies on disk.
func (s *Store) stands(p *PatchWriter, v *version) bool {
	if v != nil && v.file.View().ETag() != p.etag {
		return false
	}
	if v != nil && v.file.view.Load().disk == nil {
		return true
	}
	info, err := s.disk.root.Stat(p.name)
	return err == nil && info.Mode().IsRegular() && MakeETag(info.ModTime(), info.Size()) == p.etag
}
