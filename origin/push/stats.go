package push

// Stats are the figures of one destination since the start.
type Stats struct {
	URL string // without credentials and query

	Sent     int64 // files delivered whole
	Bytes    int64 // of these
	Deleted  int64 // names removed
	Resent   int64 // init segments and manifests sent again after a lost connection
	Retried  int64 // further attempts
	Failed   int64 // files and deletes given up
	Skipped  int64 // segments given up for newer ones, or for memory
	Replaced int64 // versions not sent because a newer one had come
	Broken   int64 // uploads that broke off at the source
	Gaps     int64 // times that a stream went on behind bytes that were lost

	InFlight int   // requests under way
	Waiting  int   // files and deletes that wait for one
	Held     int64 // bytes of memory of both
}

// Undelivered is how many files and deletes the destination should have had
// and has not.
func (s Stats) Undelivered() int64 { return s.Failed + s.Skipped + s.Gaps }
