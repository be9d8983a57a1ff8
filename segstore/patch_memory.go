package segstore

import "slices"

// imageBlock is the length of all blocks of a memImage but the last of a
// finished one.
const imageBlock = 32 << 10

// memImage is an image in memory. Its file is on the books of the store.
type memImage struct {
	store  *Store
	base   *version // not to be evicted meanwhile
	file   *File
	head   Head
	blocks []block
	size   int64
}

// imageOf copies a file in memory. size is what the image will have at least.
// The file itself stays until the image is done, so there must be room for both.
func (s *Store) imageOf(base *File, old *Body, h Head, size int64) (image, error) {
	v := s.reg.complete(base.name)
	if v == nil || v.file != base {
		return nil, ErrChanged
	}
	if !s.fits(size + base.mem.Load()) {
		return nil, ErrOverBudget
	}
	s.queue.remove(v)
	m := &memImage{store: s, base: v, file: newFile(base.name, s.freed), head: h}
	for _, p := range old.AppendSlices(nil, 0, old.Size()) {
		if err := m.writeAt(p, m.size); err != nil {
			m.discard(err)
			return nil, err
		}
	}
	return m, nil
}

func (m *memImage) writeAt(p []byte, off int64) error {
	for len(p) > 0 {
		i := int(off / imageBlock)
		if i == len(m.blocks) {
			if err := m.store.take(m.file, imageBlock); err != nil {
				return err
			}
			m.blocks = append(m.blocks, block{off: off, b: make([]byte, imageBlock)})
		}
		n := copy(m.blocks[i].b[off%imageBlock:], p)
		p, off = p[n:], off+int64(n)
		m.size = max(m.size, off)
	}
	return nil
}

// trim gives back the unused end of the last block.
func (m *memImage) trim() {
	if len(m.blocks) == 0 {
		return
	}
	last := &m.blocks[len(m.blocks)-1]
	used := m.size - last.off
	m.store.giveBack(m.file, int64(len(last.b))-used)
	last.b = slices.Clone(last.b[:used])
}

func (m *memImage) discard(error) {
	m.file.release()
	m.store.evictable(m.base)
}

func (m *memImage) commit(p *PatchWriter) (*File, error) {
	m.trim()
	if rest := leastCost - m.file.mem.Load(); rest > 0 {
		_ = m.store.take(m.file, rest) // as with an upload
	}
	mod := modTimeAfter(p.base.View().ModTime())
	m.head.Length = m.size
	m.file.setKind(p.base.Kind())
	m.file.set(&view{head: m.head, blocks: m.blocks, size: m.size, state: Complete, modTime: mod, etag: MakeETag(mod, m.size)})
	old, now := m.store.replace(p.base, m.file)
	if old == nil {
		return nil, ErrChanged
	}
	m.store.retire(old)
	err := m.store.keep(now, nil)
	m.store.tellCreated(m.file)
	return m.file, err
}

// replace gives a File the name of another that is Complete, and its place in
// the order of arrivals. It returns nil when that has lost the name.
func (s *Store) replace(base, by *File) (old, now *version) {
	s.reg.change(base.name, func(e *entry) {
		if e.complete == nil || e.complete.file != base {
			return
		}
		old = e.complete
		now = &version{file: by, name: old.name, kind: old.kind, arrival: old.arrival}
		e.complete = now
	})
	return old, now
}
