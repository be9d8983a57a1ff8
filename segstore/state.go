package segstore

import (
	"fmt"
	"time"
)

// openState opens the directory where a memory store keeps its init segments
// and takes in what is there.
func (s *Store) openState() error {
	root, err := openRoot(s.opt.StateDir, true)
	if err != nil {
		return fmt.Errorf("open state directory: %w", err)
	}
	durable := s.opt
	durable.Sync = true // these files are few, small, and sent only once
	s.state = newDisk(root, &durable, s.closing, s.bringState)
	if err := s.scan(root, s.restore); err != nil {
		s.state.failed("scan", ".", err)
	}
	return nil
}

// restore makes a file of the state directory a Complete File in memory.
func (s *Store) restore(f found) {
	b, err := s.state.root.ReadFile(f.name)
	if err != nil {
		s.state.failed("read", f.name, err)
		return
	}
	file := newFile(f.name, s.freed)
	file.setKind(Init)
	file.set(completeView(b, f.mod))
	s.force(file, int64(len(b)))
	v := &version{file: file, name: f.name, kind: Init, arrival: arrivals.Add(1)}
	s.reg.change(f.name, func(e *entry) { e.complete = v })
	s.evictable(v)
}

func completeView(b []byte, mod time.Time) *view {
	v := &view{head: Head{Length: int64(len(b))}, size: int64(len(b)), state: Complete, modTime: mod, etag: MakeETag(mod, int64(len(b)))}
	if len(b) > 0 {
		v.blocks = []block{{b: b}}
	}
	return v
}

// bringState brings the state directory to what the registry says of the name.
func (s *Store) bringState(name string, _ bool) error {
	d, v := s.state, s.reg.complete(name)
	if v == nil || v.kind != Init {
		d.forget(name)
		return d.removeLogged(name)
	}
	_, err := d.save(v, s.isCurrent)
	return d.settled(v, err, s.isCurrent)
}
