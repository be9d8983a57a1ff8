package segstore

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Budget bounds the memory of several stores together. When it is used up, the
// oldest evictable file of all of them goes first.
type Budget struct {
	account
	mu     sync.Mutex // guards stores
	stores []*Store
}

// NewBudget returns a Budget of so many bytes; 0 or less means no bound.
func NewBudget(bytes int64) *Budget {
	return &Budget{account: account{most: bytes}}
}

// Used returns the bytes that are taken.
func (b *Budget) Used() int64 { return b.used.Load() }

func (b *Budget) join(s *Store) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stores = append(b.stores, s)
}

func (b *Budget) leave(s *Store) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stores = slices.DeleteFunc(b.stores, func(o *Store) bool { return o == s })
}

func (b *Budget) members() []*Store {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.stores)
}

// account is a bounded sum of bytes.
type account struct {
	most int64 // 0 or less means no bound; static
	used atomic.Int64
}

// take adds n, or changes nothing and returns false.
func (a *account) take(n int64) bool {
	for {
		used := a.used.Load()
		if a.most > 0 && used+n > a.most {
			return false
		}
		if a.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

func (a *account) give(n int64) { a.used.Add(-n) }

// How long an upload waits for memory that is about to come free, because the
// disk is just taking complete files, and how often it looks.
const (
	reliefPatience = time.Second
	reliefLook     = 2 * time.Millisecond
)

// take enters n bytes for the file, evicting others if it must.
func (s *Store) take(f *File, n int64) error {
	if !s.fits(f.mem.Load() + n) {
		return ErrOverBudget // whatever went for it, it would not be enough
	}
	if !makeRoom(&s.memory, n, func() []*Store { return []*Store{s} }) {
		return ErrOverBudget
	}
	if b := s.opt.Budget; b != nil && !makeRoom(&b.account, n, b.members) {
		s.memory.give(n)
		return ErrOverBudget
	}
	f.mem.Add(n)
	return nil
}

// fits says whether a file of so many bytes could be held at all.
func (s *Store) fits(n int64) bool {
	if s.memory.most > 0 && n > s.memory.most {
		return false
	}
	return s.opt.Budget == nil || s.opt.Budget.most <= 0 || n <= s.opt.Budget.most
}

// makeRoom takes n bytes from the account that the stores share.
func makeRoom(a *account, n int64, stores func() []*Store) bool {
	if a.take(n) {
		return true
	}
	began := time.Now()
	for all := stores(); !a.take(n); {
		now := time.Now()
		if evictOldest(all, now) {
			continue
		}
		if now.Sub(began) > reliefPatience || !slices.ContainsFunc(all, (*Store).isSaving) {
			return a.take(n)
		}
		time.Sleep(reliefLook)
	}
	return true
}

func (s *Store) isSaving() bool { return s.saving.Load() > 0 }

// force enters n bytes for the file whatever the bounds.
func (s *Store) force(f *File, n int64) {
	s.memory.used.Add(n)
	if b := s.opt.Budget; b != nil {
		b.used.Add(n)
	}
	f.mem.Add(n)
}

// giveBack takes n bytes of the file off the books.
func (s *Store) giveBack(f *File, n int64) {
	f.mem.Add(-n)
	s.give(n)
}

// freed is the onFree of the store's Files: nobody holds f any more.
func (s *Store) freed(f *File) { s.give(f.mem.Swap(0)) }

func (s *Store) give(n int64) {
	s.memory.give(n)
	if b := s.opt.Budget; b != nil {
		b.give(n)
	}
}
