package sending

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/headwater-origin/headwater/origin/folder"
	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/segstore"
)

// keptSegs is how many segments of a track stay in the store of a followed
// folder. The pusher holds those that it still sends itself.
const keptSegs = 5

// sendFolder sends what is in a directory, and what a packager writes to it,
// until the context ends.
func sendFolder(ctx context.Context, j *job) error {
	sink := &folderSink{ctx: ctx, dir: j.Src, began: time.Now(), pusher: j.pusher, old: make(map[string]bool)}
	store, err := segstore.Open(segstore.Options{MaxCacheSegs: keptSegs, Observers: []segstore.Observer{sink}, Log: j.Log})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close(context.Background()) }() // of memory: nothing is lost
	sink.Store = store
	f, err := folder.New(folder.Options{Dir: j.Src, Existing: true, Log: j.Log}, sink)
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

// folderSink is a store whose files go to the pusher. Those that were in the
// folder before are sent behind all others, and no faster than they go out.
type folderSink struct {
	*segstore.Store

	// Static.
	ctx    context.Context
	dir    string
	began  time.Time
	pusher *push.Pusher

	mu  sync.Mutex // guards old
	old map[string]bool
}

// Create is where a file begins.
func (s *folderSink) Create(name string, h segstore.Head) (*segstore.Writer, error) {
	info, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name)))
	old := err == nil && info.ModTime().Before(s.began)
	if old {
		if err := s.pusher.Ready(s.ctx); err != nil {
			return nil, err
		}
	}
	s.note(name, old)
	w, err := s.Store.Create(name, h)
	if err != nil {
		s.note(name, false)
	}
	return w, err
}

// note remembers whether the file that begins under the name was there before.
func (s *folderSink) note(name string, old bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.old, name)
	if old {
		s.old[name] = true
	}
}

// wasOld tells whether the file that comes next under the name was there before.
func (s *folderSink) wasOld(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.old[name]
	delete(s.old, name)
	return old
}

// Created implements segstore.Observer.
func (s *folderSink) Created(f *segstore.File) {
	if s.wasOld(f.Name()) {
		s.pusher.CreatedArchive(f)
		return
	}
	s.pusher.Created(f)
}

// Deleted implements segstore.Observer.
func (s *folderSink) Deleted(name string) { s.pusher.Deleted(name) }
