package segstore

import (
	"hash/maphash"
	"slices"
	"sync"
)

// registry maps names to entries, in shards so that uploads and lookups of
// different names rarely meet on a lock. Under a lock there are only map
// operations and changes of an entry; waking, freeing and I/O come after.
type registry struct {
	seed   maphash.Seed // static
	shards [64]shard
}

type shard struct {
	mu      sync.RWMutex // guards the rest, and the entries
	entries map[string]*entry
	files   int // entries that have a File
}

// entry is what stands behind a name. It exists as long as it holds anything.
type entry struct {
	complete *version
	uploads  []*upload // that may get the name or have it, in order of beginning
	pending  *pending
}

// version is a Complete File under a name. Static but for elem.
type version struct {
	file    *File
	name    string
	kind    Kind
	arrival uint64 // when its upload began, as a place in the order of all uploads
	elem    place  // in the eviction queue, which guards it
}

// pending is a Pending File with the number of those who wait on it.
type pending struct {
	file    *File
	waiters int
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].entries = make(map[string]*entry)
	}
	return r
}

func (r *registry) hash(name string) uint64 { return maphash.String(r.seed, name) }

func (r *registry) shard(name string) *shard {
	return &r.shards[r.hash(name)%uint64(len(r.shards))]
}

// read calls fn with the entry of the name, or nil, under the read lock.
func (r *registry) read(name string, fn func(*entry)) {
	sh := r.shard(name)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	fn(sh.entries[name])
}

// change calls fn with the entry of the name, which is made before and dropped
// after as needed, under the lock.
func (r *registry) change(name string, fn func(*entry)) {
	sh := r.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.entries[name]
	had := e != nil
	if !had {
		e = &entry{}
	} else if e.hasFile() {
		sh.files--
	}
	fn(e)
	if e.hasFile() {
		sh.files++
	}
	switch empty := e.empty(); {
	case empty && had:
		delete(sh.entries, name)
	case !empty && !had:
		sh.entries[name] = e
	}
}

// complete returns the Complete version of the name, or nil.
func (r *registry) complete(name string) (v *version) {
	r.read(name, func(e *entry) {
		if e != nil {
			v = e.complete
		}
	})
	return v
}

// files counts the names that have a File.
func (r *registry) files() int {
	n := 0
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		n += sh.files
		sh.mu.RUnlock()
	}
	return n
}

// names returns all names that have a Complete version.
func (r *registry) names() []string {
	var all []string
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		for name, e := range sh.entries {
			if e.complete != nil {
				all = append(all, name)
			}
		}
		sh.mu.RUnlock()
	}
	return all
}

func (e *entry) empty() bool {
	return e.complete == nil && len(e.uploads) == 0 && e.pending == nil
}

func (e *entry) hasFile() bool {
	return e.complete != nil || slices.ContainsFunc(e.uploads, func(u *upload) bool { return !u.whole })
}

// visible returns the File that the name stands for, or nil. It may still be
// Pending for the moment between the beginning of its upload and newWriter.
func (e *entry) visible(p Policy) *File {
	if u := e.leader(p); u != nil {
		return u.file
	}
	if e.complete != nil {
		return e.complete.file
	}
	return nil
}

// readable is visible without an upload that is between its entry and its
// Writer: until that moment is over, the name stands for what it stood for.
func (e *entry) readable(p Policy) *File {
	f := e.visible(p)
	if f == nil || f.View().State() != Pending {
		return f
	}
	begun := entry{complete: e.complete, uploads: slices.DeleteFunc(slices.Clone(e.uploads), func(u *upload) bool {
		return u.file.View().State() == Pending
	})}
	return begun.visible(p)
}

// leader returns the upload under way that has the name, or nil.
func (e *entry) leader(p Policy) *upload {
	if p == Overwrite {
		return e.lastLeader()
	}
	if e.complete != nil {
		return nil
	}
	for _, u := range e.uploads {
		if u.mayLead() {
			return u
		}
	}
	return nil
}

// lastLeader is leader under Overwrite: the upload that began last. One that
// another took the name from gets it back only if there is nothing else.
func (e *entry) lastLeader() *upload {
	for _, u := range slices.Backward(e.uploads) {
		switch {
		case !u.mayLead():
		case e.complete == nil:
			return u
		case !u.over && u.arrival > e.complete.arrival:
			return u
		}
	}
	return nil
}

// takePending takes the Pending File away if the name now stands for a File.
// The caller sends the waiters there once it holds no lock.
func (e *entry) takePending(p Policy) (waiting, to *File) {
	if e.pending == nil {
		return nil, nil
	}
	if to = e.visible(p); to == nil {
		return nil, nil
	}
	waiting = e.pending.file
	e.pending = nil
	return waiting, to
}
