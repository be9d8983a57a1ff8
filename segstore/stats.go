package segstore

// Stats are counts since Open, and levels (Files, Bytes, Waiters) of now.
type Stats struct {
	Files         int   // names that have a File; of a directory, those that came in since Open
	Bytes         int64 // memory of all Files, evicted ones that are still read included
	Growing       int   // uploads under way
	Waiters       int   // Await calls under way
	EvictedCount  int64 // files dropped because of MaxCacheSegs
	EvictedBytes  int64 // files dropped because of a byte budget
	DiskErrors    int64 // failed writes, renames and removals
	DiskUnsaved   int   // complete files that are in memory because the disk failed
	FailedUploads int64
}

// Stats returns the counts of now.
func (s *Store) Stats() Stats {
	st := Stats{
		Files:         s.reg.files(),
		Bytes:         s.memory.used.Load(),
		Growing:       int(s.growing.Load()),
		Waiters:       int(s.waiters.Load()),
		EvictedCount:  s.evictedCount.Load(),
		EvictedBytes:  s.evictedBytes.Load(),
		FailedUploads: s.failedUploads.Load(),
	}
	for _, d := range s.disks() {
		st.DiskErrors += d.errs.Load()
		st.DiskUnsaved += d.unsavedCount()
	}
	return st
}
