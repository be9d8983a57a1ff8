package origin

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-origin/headwater/segstore"
)

// storeSet is what is behind the mounts. Mounts of one directory share one, so
// that who reads at one of them sees what is being uploaded at another.
type storeSet struct {
	cfg    *Config
	budget *segstore.Budget
	log    *slog.Logger
	watch  func(m *Mount) ([]segstore.Observer, error) // who is told of a mount's files
	byDir  map[string]*segstore.Store
	unread *prometheus.CounterVec // manifests that could not be read, by mount
	all    []labelledStore
}

// labelledStore is a store with the path of the first mount that has it.
type labelledStore struct {
	path  string
	store *segstore.Store
}

func newStores(cfg *Config, log *slog.Logger, unread *prometheus.CounterVec, watch func(*Mount) ([]segstore.Observer, error)) *storeSet {
	return &storeSet{watch: watch, cfg: cfg, unread: unread, budget: segstore.NewBudget(cfg.MemoryBytes()), log: log, byDir: make(map[string]*segstore.Store)}
}

// open returns the store of a mount, or nil for one that stores nothing.
func (s *storeSet) open(m *Mount) (*segstore.Store, error) {
	if m.Relay.Input != "" || m.Source.used() {
		return nil, nil
	}
	dir := ""
	if m.Store != GMem {
		dir = filepath.Clean(m.Store)
		if known := s.byDir[dir]; known != nil {
			return known, nil
		}
	}
	opt := s.options(m, dir)
	others, err := s.observers(m, dir)
	if err != nil {
		return nil, err
	}
	t := newTracker(opt.Log, s.unread.WithLabelValues(m.Path))
	if dir != "" {
		// In memory N alone holds: packagers keep more than their manifests list,
		// for players that are late, and delete it themselves.
		opt.Depth = t.depth
	}
	opt.Observers = append([]segstore.Observer{t}, others...)
	store, err := segstore.Open(opt)
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", m.Path, err)
	}
	if dir != "" {
		s.byDir[dir] = store
	}
	s.all = append(s.all, labelledStore{m.Path, store})
	return store, nil
}

// options are those of the mount that writes, of all with the directory.
func (s *storeSet) options(m *Mount, dir string) segstore.Options {
	writes := m.Write || m.Watch != ""
	for i := range s.cfg.Mounts {
		if w := &s.cfg.Mounts[i]; dir != "" && w.Write && w.Store != GMem && filepath.Clean(w.Store) == dir {
			m, writes = w, true
		}
	}
	opt := segstore.Options{
		Dir:          dir,
		ReadOnly:     !writes,
		MaxCacheSegs: m.MaxCacheSegs,
		MaxBytes:     int64(m.MaxBytes),
		Budget:       s.budget,
		Policy:       segstore.Policy(m.Policy),
		MaxWaiters:   s.cfg.MaxWaiters,
		Sync:         m.Sync,
		Log:          s.log.With("mount", m.Path),
	}
	if dir == "" && s.cfg.StateDir != "" {
		opt.StateDir = filepath.Join(s.cfg.StateDir, url.PathEscape(m.Path))
	}
	return opt
}

// observers are those of all mounts that have the directory, or of the one mount
// in memory.
func (s *storeSet) observers(m *Mount, dir string) ([]segstore.Observer, error) {
	if dir == "" {
		return s.watch(m)
	}
	var all []segstore.Observer
	for i := range s.cfg.Mounts {
		w := &s.cfg.Mounts[i]
		if w.Store == GMem || filepath.Clean(w.Store) != dir {
			continue
		}
		list, err := s.watch(w)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func (s *storeSet) close(ctx context.Context) error {
	var first error
	for _, l := range s.all {
		if err := l.store.Close(ctx); err != nil && first == nil {
			first = fmt.Errorf("mount %s: %w", l.path, err)
		}
	}
	return first
}
