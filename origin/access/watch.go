package access

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a file must be left alone before it is read: it may
	// be written in parts.
	settle = 50 * time.Millisecond
	// lookEvery is how often the file is read without a reason, for the file
	// systems that tell of no changes.
	lookEvery = time.Minute
)

// watchedFile calls use with the file's bytes when they have changed. It owns
// one goroutine, which close ends.
type watchedFile struct {
	path    string
	log     *slog.Logger
	use     func(data []byte) error // its error is logged
	watcher *fsnotify.Watcher
	ended   chan struct{}

	// Owned by the goroutine once it runs.
	last   []byte
	failed string // the error of the last try, so that it is logged once
}

// watchFile reads the file, uses it, and follows it.
func watchFile(path string, log *slog.Logger, use func([]byte) error) (*watchedFile, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	w := &watchedFile{path: path, log: log, use: use, ended: make(chan struct{})}
	if w.watcher, err = fsnotify.NewWatcher(); err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	// Watched before it is read, so that no change falls between.
	err = w.watchDirs(abs)
	if err == nil {
		w.last, err = readFile(path)
	}
	if err == nil {
		err = use(w.last)
	}
	if err != nil {
		return nil, errors.Join(err, w.watcher.Close())
	}
	go w.follow(abs)
	return w, nil
}

// watchDirs watches the directories of the file and of what it leads to, as a
// file is mostly changed by a rename over it. Doing so again adds nothing.
func (w *watchedFile) watchDirs(abs string) error {
	for _, dir := range []string{filepath.Dir(abs), filepath.Dir(realPath(abs))} {
		if err := w.watcher.Add(dir); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return nil
}

func realPath(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// follow reads the file when it has changed and been left alone. The other
// files of its directory matter only where it is a link, one of whose parts may
// change; they must not put the reading off.
func (w *watchedFile) follow(abs string) {
	defer close(w.ended)
	quiet := time.NewTimer(settle)
	quiet.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	armed := false
	for {
		select {
		case ev, ok := <-w.watcher.Events:
			switch {
			case !ok:
				return
			case filepath.Base(ev.Name) == filepath.Base(abs) || !armed && realPath(abs) != abs:
				quiet.Reset(settle)
				armed = true
			}
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			w.log.Warn("watching a file", "file", w.path, "err", err)
			quiet.Reset(settle)
			armed = true
		case <-quiet.C:
			armed = false
			w.look(abs)
		case <-look.C:
			w.look(abs)
		}
	}
}

func (w *watchedFile) look(abs string) {
	err := w.watchDirs(abs) // a link may lead elsewhere now
	if err == nil {
		err = w.read()
	}
	switch {
	case err == nil:
		w.failed = ""
	case err.Error() != w.failed:
		w.failed = err.Error()
		w.log.Error("a file cannot be used; what it said before stays in force", "file", w.path, "err", err)
	}
}

func (w *watchedFile) read() error {
	data, err := readFile(w.path)
	if err != nil || bytes.Equal(data, w.last) && w.failed == "" {
		return err
	}
	if err := w.use(data); err != nil {
		return err
	}
	w.last = data
	return nil
}

func (w *watchedFile) close() error {
	err := w.watcher.Close()
	<-w.ended
	return err
}
