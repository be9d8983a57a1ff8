package segstore

import (
	"fmt"
	"slices"
	"time"
)

// upload is one upload under way: what a Writer's store knows of it. It is the
// keeper of its Writer.
type upload struct {
	// Static.
	store    *Store
	name     string
	file     *File
	arrival  uint64
	length   int64 // announced, or -1
	whole    bool  // not visible before it is Complete
	replaced bool  // there was a Complete version when it began

	w *Writer // static once Create returns

	// Guarded by the shard of the name.
	over bool // a later upload took the name
	done bool // Complete, and waits for one that began earlier
	cut  bool // deleted
}

// Replaces reports whether the name had a Complete File when the upload began.
func (w *Writer) Replaces() bool {
	u, ok := w.keeper.(*upload)
	return ok && u.replaced
}

// mayLead says whether the upload can have the name while it is under way.
func (u *upload) mayLead() bool {
	return !u.whole && u.file.View().State() != Failed
}

// outcome is what the end of an upload brought about under the lock, and what
// is to be done about it outside.
type outcome struct {
	won  *version // what the name stands for from now on, if that is new
	old  *version // what it replaced
	lost []*upload
	err  error // for the uploader

	waiting, to *File
}

// begin enters an upload under its name, or returns ErrKept. onDisk says that
// there is a Complete version that the registry does not know.
func (s *Store) begin(u *upload, onDisk *version) (before time.Time, err error) {
	p := s.policy(u.name)
	s.reg.change(u.name, func(e *entry) {
		v := e.complete
		if v == nil {
			v = onDisk
		}
		if v != nil {
			if p != Overwrite {
				err = ErrKept
				return
			}
			u.replaced = true
			before = v.file.View().ModTime()
		}
		u.file = s.fileFor(u, e, p)
		e.enter(u)
	})
	return before, err
}

// enter puts the upload among those under way. It may have arrived before some
// of them: connections are served in any order.
func (e *entry) enter(u *upload) {
	at := len(e.uploads)
	for at > 0 && e.uploads[at-1].arrival > u.arrival {
		at--
		u.over = true
	}
	for _, before := range e.uploads[:at] {
		before.over = true
	}
	e.uploads = slices.Insert(e.uploads, at, u)
}

// fileFor returns the File that the upload fills: the one that is waited for
// if it gets the name at once, else a new one.
func (s *Store) fileFor(u *upload, e *entry, p Policy) *File {
	if e.pending != nil && !u.whole && (p == Overwrite || e.leader(p) == nil) {
		f := e.pending.file
		e.pending = nil
		return f
	}
	return newFile(u.name, s.freed)
}

// finish ends an upload under its name. ok means that it is Complete.
func (e *entry) finish(u *upload, p Policy, ok bool) (o outcome) {
	i := slices.Index(e.uploads, u)
	switch {
	case i < 0:
		o.err = u.lostError(p)
		if !ok {
			o.err = nil
		}
		o.lost = append(o.lost, u)
	case !ok:
		e.uploads = slices.Delete(e.uploads, i, i+1)
		o.lost = append(o.lost, u)
		e.promote(&o, p)
	case p == Overwrite:
		e.uploads = slices.Delete(e.uploads, i, i+1)
		if e.complete != nil && e.complete.arrival > u.arrival {
			o.lost = append(o.lost, u)
			break
		}
		e.install(&o, u)
	case p == FirstCompleteWins:
		e.uploads = slices.Delete(e.uploads, i, i+1)
		e.install(&o, u)
		e.dropOthers(&o)
	default:
		u.done = true
		e.promote(&o, p)
	}
	o.waiting, o.to = e.takePending(p)
	return o
}

// promote gives the name to the upload that began first, if it is done.
func (e *entry) promote(o *outcome, p Policy) {
	if p != FirstWins || len(e.uploads) == 0 || !e.uploads[0].done {
		return
	}
	u := e.uploads[0]
	e.uploads = e.uploads[1:]
	e.install(o, u)
	e.dropOthers(o)
}

func (e *entry) install(o *outcome, u *upload) {
	o.old = e.complete
	o.won = &version{file: u.file, name: u.name, kind: u.file.Kind(), arrival: u.arrival}
	e.complete = o.won
}

// dropOthers cuts off all other uploads. Those under way go on for their
// readers; they are told when they end.
func (e *entry) dropOthers(o *outcome) {
	for _, u := range e.uploads {
		if u.done {
			o.lost = append(o.lost, u)
		}
	}
	e.uploads = nil
}

// lostError is what the uploader of a Complete file is told that nobody will
// find. Under Overwrite all is as it should be.
func (u *upload) lostError(p Policy) error {
	switch {
	case u.cut:
		return ErrDeleted
	case p == Overwrite:
		return nil
	}
	return ErrKept
}

// reserve implements keeper.
func (u *upload) reserve(f *File, n int) error {
	if n < 0 {
		u.store.giveBack(f, int64(-n))
		return nil
	}
	if err := u.store.take(f, int64(n)); err != nil {
		return fmt.Errorf("upload of %s: %w", u.name, err)
	}
	return nil
}

// settle implements keeper. The error is ErrKept when the policy kept another
// upload, ErrDeleted when the name was deleted meanwhile, and wraps ErrUnsaved
// when the disk failed.
func (u *upload) settle(_ *File, reason error) error {
	s, ok := u.store, reason == nil
	u.decideKind(ok)
	if rest := leastCost - u.file.mem.Load(); ok && s.disk == nil && rest > 0 {
		_ = s.take(u.file, rest) // one that finds no room is just not on the books
	}
	p := s.policy(u.name)
	var o outcome
	s.reg.change(u.name, func(e *entry) { o = e.finish(u, p, ok) })
	s.growing.Add(-1)
	if !ok {
		s.failedUploads.Add(1)
	}
	err := s.settled(u, &o, ok)
	if err == nil {
		err = o.err
	}
	if err != nil {
		return fmt.Errorf("upload of %s: %w", u.name, err)
	}
	return nil
}

// decideKind fixes the kind of the file, now that all of it is known.
func (u *upload) decideKind(ok bool) {
	k := u.store.tracks.kind(u.name)
	if ok && mayBeInit(u.name, k) && u.file.beginsWithFtyp() && u.w.boxes.Structured() && u.w.boxes.FragmentEnd() == 0 {
		k = Init
	}
	u.file.setKind(k)
}

// leastCost is what the smallest file in memory has on the books: it holds a
// name and what belongs to that, and names without end must not be free.
const leastCost = 512

// settled does what follows from an outcome. It is called without a lock.
func (s *Store) settled(u *upload, o *outcome, ok bool) error {
	moveWaiters(o.waiting, o.to)
	now := time.Now()
	s.streams.end(u.name, now)
	for _, l := range o.lost {
		s.tracks.end(l.name, !ok && l == u, now)
		l.file.release()
	}
	if o.won == nil {
		return nil
	}
	if o.old != nil {
		s.retire(o.old)
	}
	if u.whole && s.reg.complete(o.won.name) == o.won {
		s.tellCreated(o.won.file)
	}
	victims := s.excess(o.won, now)
	if s.reg.complete(o.won.name) == nil {
		s.tracks.gone(o.won.name) // it lost its name before excess entered it
	}
	return s.keep(o.won, victims)
}

// moveWaiters sends who waits on a Pending File to the one that has its name.
func moveWaiters(waiting, to *File) {
	if waiting == nil {
		return
	}
	close(waiting.set(&view{state: Pending, moved: to}))
	waiting.release()
}
