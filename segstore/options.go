package segstore

import (
	"log/slog"
	"slices"
	"time"
)

// Policy says which of two uploads of one name is kept. Bytes of two uploads
// are never mixed, whatever the policy. A manifest is always the one whose
// upload began last.
type Policy uint8

const (
	// Overwrite keeps the upload that began last.
	Overwrite Policy = iota
	// FirstWins keeps the upload that began first, unless it fails. Of a later
	// one, Close returns ErrKept if the first was complete by then; else nil,
	// and it gets the name should the first fail.
	FirstWins
	// FirstCompleteWins keeps the upload that is complete first. Of the others,
	// Close returns ErrKept.
	FirstCompleteWins
)

// Options say how a Store behaves. The zero value is a memory store that keeps
// one segment per track and has no byte budget.
type Options struct {
	// Dir is the directory that is served and written. Empty means memory.
	Dir string
	// ReadOnly makes Create and Delete fail; the directory is not scanned.
	ReadOnly bool
	// MaxCacheSegs, N, bounds the complete segments of each track. In memory:
	// MIN(|N|, time-shift depth), at least 1. On disk: -N when N<0; MAX(N, depth)
	// when N>0 and the depth is known; else no bound.
	MaxCacheSegs int
	// Depth returns the time-shift depth of a track in segments, or 0 when it
	// is not known. nil means that no depth is known. The track is named as
	// TrackOf does. It is called while an upload ends, without a lock.
	Depth func(track string) int
	// MaxBytes bounds the memory of this store; 0 means no bound of its own.
	MaxBytes int64
	// Budget bounds the memory of all stores that share it; nil means none.
	Budget *Budget
	// Policy is for two uploads of one name. It defaults to Overwrite.
	Policy Policy
	// StateDir, if set, is where a memory store keeps its init segments, so
	// that they survive a restart.
	StateDir string
	// MaxWaiters bounds the Await calls under way. It defaults to 10000.
	MaxWaiters int
	// LivingFor is how long after its last upload a track or stream counts as
	// living. It defaults to 30 s.
	LivingFor time.Duration
	// Sync makes each file durable (fsync) before its upload is answered.
	Sync bool
	// Observers are told of uploads and deletions, in this order.
	Observers []Observer
	// Log gets what goes wrong outside any call. It defaults to slog.Default.
	Log *slog.Logger
}

func (o *Options) setDefaults() {
	o.Observers = slices.Clone(o.Observers)
	if o.MaxWaiters == 0 {
		o.MaxWaiters = 10000
	}
	if o.LivingFor == 0 {
		o.LivingFor = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}
