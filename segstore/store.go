package segstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// arrivals orders all uploads of the process, so that stores that share a
// Budget can tell whose file is older.
var arrivals atomic.Uint64

// Arrive returns a place in the order of uploads, behind all places before.
// Who knows in which order uploads were sent better than the order of the
// calls of Create can tell takes the place beforehand, and gives it to Create
// in the Head.
func Arrive() Arrival { return Arrival(arrivals.Add(1)) }

// Store maps names to Files. All its methods may be called at any time from
// any goroutine.
type Store struct {
	// Static after Open. Each guards itself.
	opt     Options
	reg     *registry
	tracks  *tracks
	streams *streams
	disk    *disk // nil in a memory store
	state   *disk // nil without StateDir
	closing chan struct{}

	closeOnce sync.Once
	queue     evictQueue
	memory    account
	onDisk    ring

	growing       atomic.Int64
	saving        atomic.Int64 // uploads that wait for the disk
	waiters       atomic.Int64
	evictedCount  atomic.Int64
	evictedBytes  atomic.Int64
	failedUploads atomic.Int64
}

// Open returns a Store. Over a directory it sweeps what a crash left behind
// and learns which segments are there. The caller closes it.
func Open(opt Options) (*Store, error) {
	opt.setDefaults()
	s := &Store{
		opt:     opt,
		reg:     newRegistry(),
		tracks:  newTracks(opt.LivingFor),
		streams: newStreams(opt.LivingFor),
		closing: make(chan struct{}),
		memory:  account{most: opt.MaxBytes},
	}
	if err := s.openDisks(); err != nil {
		return nil, err
	}
	if opt.Budget != nil {
		opt.Budget.join(s)
	}
	return s, nil
}

// Close ends the store's goroutines once all complete files are on disk, or
// ctx is done. A file that the disk refuses is tried once more; the error then
// wraps ErrUnsaved. Readers and Bodies that are open stay readable; the names
// are forgotten, and Await returns ErrClosed.
func (s *Store) Close(ctx context.Context) error {
	var err error
	s.closeOnce.Do(func() {
		close(s.closing)
		for _, d := range s.disks() {
			err = errors.Join(err, d.close(ctx))
			_ = d.root.Close() // open files stay open
		}
		for _, name := range s.reg.names() {
			s.forget(name)
		}
		if b := s.opt.Budget; b != nil {
			b.leave(s)
		}
	})
	return err
}

func (s *Store) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// policy returns the policy for the name: manifests are replaced all the time.
func (s *Store) policy(name string) Policy {
	if s.opt.Policy != Overwrite && KindOf(name) == Manifest {
		return Overwrite
	}
	return s.opt.Policy
}

// Create begins an upload. A segment is seen by Lookup from then on; a
// manifest only once it is Complete. An upload that fails leaves the version
// before in place. ErrKept means that the policy keeps what there is: the
// caller reads the upload to its end and throws it away.
func (s *Store) Create(name string, h Head) (*Writer, error) {
	u := &upload{store: s, name: name, whole: KindOf(name) == Manifest, arrival: uint64(h.Arrival), length: h.Length}
	if u.arrival == 0 {
		u.arrival = uint64(Arrive())
	}
	before, err := s.create(u)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	now := time.Now()
	s.growing.Add(1)
	s.streams.begin(name, now)
	s.tracks.begin(name, u.arrival, now)
	if k := s.tracks.kind(name); k == Part {
		u.file.setKind(k)
	}
	u.w = newWriter(u.file, u, h, before)
	if !u.whole {
		s.tellCreated(u.file)
	}
	return u.w, nil
}

func (s *Store) create(u *upload) (before time.Time, err error) {
	if err := ValidName(u.name); err != nil {
		return before, err
	}
	if s.opt.ReadOnly {
		return before, ErrReadOnly
	}
	if s.closed() {
		return before, ErrClosed
	}
	if !s.fits(u.length) {
		return before, ErrOverBudget
	}
	var onDisk *version
	if s.disk != nil {
		if onDisk, err = s.disk.existing(u.name); err != nil {
			return before, err
		}
	}
	return s.begin(u, onDisk)
}

// Lookup returns the File that the name stands for now. Its error is a
// *MissingError, or wraps ErrName or ErrIsDir.
func (s *Store) Lookup(name string) (*File, error) {
	if err := ValidName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	f, err := s.find(name)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	if f == nil {
		return nil, &MissingError{Name: name, Reason: s.tracks.reason(name, time.Now())}
	}
	return f, nil
}

// find returns the File of the name, or nil.
func (s *Store) find(name string) (*File, error) {
	f := s.seen(name)
	if s.disk == nil || f != nil && f.view.Load().disk == nil {
		return f, nil
	}
	return s.findOnDisk(name, f)
}

// seen returns what the registry has for the name.
func (s *Store) seen(name string) (f *File) {
	p := s.policy(name)
	s.reg.read(name, func(e *entry) {
		if e != nil {
			f = e.readable(p)
		}
	})
	return f
}

// Delete forgets the name, and removes it from disk with the directories that
// this leaves empty. An upload under way is cut off from the name and goes on
// for its readers; its Close returns ErrDeleted. Its error is a *MissingError
// when there is nothing.
func (s *Store) Delete(name string) error {
	err := ValidName(name)
	switch {
	case err != nil:
	case s.opt.ReadOnly:
		err = ErrReadOnly
	case s.closed():
		err = ErrClosed
	default:
		err = s.delete(name)
	}
	var missing *MissingError
	if err == nil || errors.As(err, &missing) {
		return err
	}
	return fmt.Errorf("delete %s: %w", name, err)
}

func (s *Store) delete(name string) error {
	var onDisk *version
	var err error
	if s.disk != nil {
		if onDisk, err = s.disk.existing(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if found := s.forget(name); !found && onDisk == nil {
		return &MissingError{Name: name, Reason: s.tracks.reason(name, time.Now())}
	}
	s.tellDeleted(name) // before the disk, for which the next upload does not wait
	return s.removed(name)
}

// forget takes all versions and uploads of the name out of the registry.
func (s *Store) forget(name string) (found bool) {
	var v *version
	var done []*upload
	s.reg.change(name, func(e *entry) {
		found = e.hasFile() || len(e.uploads) > 0
		v, e.complete = e.complete, nil
		for _, u := range e.uploads {
			if u.done {
				done = append(done, u)
			} else {
				u.cut = true
			}
		}
		e.uploads = nil
	})
	if v != nil {
		s.retire(v)
	}
	for _, u := range done {
		s.tracks.end(name, false, time.Now())
		u.file.release()
	}
	s.tracks.gone(name)
	return found
}
