package origin

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-origin/headwater/manifest"
	"github.com/headwater-origin/headwater/segstore"
)

// Bounds of what a tracker reads and remembers.
const (
	mostManifestBytes = 4 << 20
	mostManifests     = 10_000
)

// tracker reads the manifests that come to a store, and knows from them how many
// segments of each track the stream promises to keep: the time-shift depth that
// max_cache_segs is held against. It is a segstore.Observer. A manifest that it
// cannot read is served all the same, and told in the log once.
type tracker struct {
	log    *slog.Logger
	unread prometheus.Counter

	mu     sync.Mutex                // guards the rest
	depths map[string]map[string]int // by manifest and track
	tracks map[string]int            // the deepest of all manifests
	told   map[string]bool           // manifests that could not be read
}

func newTracker(log *slog.Logger, unread prometheus.Counter) *tracker {
	return &tracker{
		log: log, unread: unread,
		depths: make(map[string]map[string]int), tracks: make(map[string]int), told: make(map[string]bool),
	}
}

// depth returns the time-shift depth of a track in segments, or 0 when no
// manifest tells.
func (t *tracker) depth(track string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tracks[track]
}

// Created reads the file if it is a manifest.
func (t *tracker) Created(f *segstore.File) {
	if segstore.KindOf(f.Name()) != segstore.Manifest || f.View().State() != segstore.Complete {
		return
	}
	body, err := f.Open()
	if err != nil {
		return // it has been replaced, and the next version is told of
	}
	defer func() { _ = body.Close() }() // only read from
	if body.Size() > mostManifestBytes {
		return
	}
	data, err := contentOf(body)
	if err != nil {
		return // likewise
	}
	windows, err := manifest.Windows(f.Name(), data)
	if err != nil {
		t.cannotRead(f.Name(), err)
		return
	}
	depths := make(map[string]int, len(windows))
	for _, w := range windows {
		if track, ok := segstore.TrackOf(w.Name); ok {
			depths[track] = max(depths[track], w.Segments)
		}
	}
	t.set(f.Name(), depths)
}

// Deleted forgets what the manifest said.
func (t *tracker) Deleted(name string) {
	if segstore.KindOf(name) == segstore.Manifest {
		t.set(name, nil)
	}
}

// set keeps what a manifest says now, in the place of what it said before.
func (t *tracker) set(name string, depths map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.depths[name]
	if maps.Equal(before, depths) || before == nil && len(t.depths) >= mostManifests {
		return
	}
	if t.depths[name] = depths; len(depths) == 0 {
		delete(t.depths, name)
	}
	for _, track := range slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(depths))) {
		t.deepest(track)
	}
}

// deepest looks at all manifests for a track. t.mu is held.
func (t *tracker) deepest(track string) {
	most := 0
	for _, depths := range t.depths {
		most = max(most, depths[track])
	}
	if t.tracks[track] = most; most == 0 {
		delete(t.tracks, track)
	}
}

func (t *tracker) cannotRead(name string, err error) {
	t.unread.Inc()
	t.mu.Lock()
	first := !t.told[name] && len(t.told) < mostManifests
	if first {
		t.told[name] = true
	}
	t.mu.Unlock()
	if first {
		t.log.Warn("a manifest cannot be read; it is served as it came, and max_cache_segs goes without its time-shift depth", "err", err)
	}
}
