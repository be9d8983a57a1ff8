package folder

import "github.com/fsnotify/fsnotify"

// watcher tells what happens in directories.
type watcher interface {
	Add(dir string) error
	Remove(dir string) error
	Close() error
	events() <-chan fsnotify.Event
	errors() <-chan error
}

// systemWatcher is the watcher of the operating system.
type systemWatcher struct{ *fsnotify.Watcher }

func watchSystem() (watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err // not w: a nil *Watcher would be a watcher
	}
	return systemWatcher{w}, nil
}

func (w systemWatcher) events() <-chan fsnotify.Event { return w.Events }
func (w systemWatcher) errors() <-chan error          { return w.Errors }
