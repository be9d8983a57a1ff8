package segstore

// Observer is told what comes to a store and what is taken from it, so that
// another origin can be kept like it. Its methods are called without any lock,
// from the goroutine of the upload or the Delete, and hold it up, so they should
// return at once. They may call the store.
//
// Calls about one name come in the order of what happened, except that of an
// upload and a Delete at the same moment either may be told first.
type Observer interface {
	// Created is told of each upload that begins, before its first byte: f is
	// Growing, and a Reader of it gets all of it. Of a manifest it is told once
	// it has its name, and not of one that a newer has overtaken, so that the
	// last it is told of is the last; and of a Patch once that is done. f is
	// Complete then, and Open reads it. What was on disk before the store is
	// not told.
	Created(f *File)
	// Deleted is told of each name that Delete forgets, before the file is
	// removed from disk. It is not told of eviction, since whoever keeps copies
	// has bounds of their own, nor of a version that another replaced.
	Deleted(name string)
}

func (s *Store) tellCreated(f *File) {
	for _, o := range s.opt.Observers {
		o.Created(f)
	}
}

func (s *Store) tellDeleted(name string) {
	for _, o := range s.opt.Observers {
		o.Deleted(name)
	}
}
