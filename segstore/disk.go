package segstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// diskFile is where the bytes of a Complete file lie.
type diskFile struct {
	root *os.Root
	path string // below root

	// What the file is known by, so that another that has its place by now is
	// not taken for it. Not checked when mod is zero.
	size int64
	mod  time.Time
}

// open opens the file. It never blocks, not even on a FIFO. Its error wraps
// fs.ErrNotExist when the file has gone or is another.
func (d *diskFile) open() (*os.File, error) {
	f, err := d.root.OpenFile(d.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil || d.mod.IsZero() {
		return f, err
	}
	info, err := f.Stat()
	if err == nil && !d.same(info) {
		err = fmt.Errorf("replaced meanwhile: %w", fs.ErrNotExist)
	}
	if err != nil {
		_ = f.Close() // only read from
		return nil, err
	}
	return f, nil
}

func (d *diskFile) same(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Size() == d.size && info.ModTime().Equal(d.mod)
}

// saveTries is how often a save begins anew when directories come and go.
const saveTries = 10

// What a store waits for its disk, and how long it leaves a failing one alone.
const (
	diskPatience   = 3 * time.Second
	diskRetryAfter = 2 * time.Second
)

// disk is a directory that complete files are saved to, by a few workers that
// bring the directory to what the registry says of a name. Since they look
// that up when a name's turn comes, in order of the names' changes, an older
// version never takes the place of a newer one.
type disk struct {
	// Static.
	root     *os.Root
	sync     bool
	patience time.Duration
	hangs    atomic.Bool // the last wait was in vain
	retry    time.Duration
	lanes    *lanes
	log      *rareLog
	retrier  chan struct{} // closed when the retrying goroutine has ended

	// What may fail; tests replace them before the first upload.
	write  func(f *os.File, p []byte) (int, error)
	rename func(from, to string) error

	errs    atomic.Int64
	failing chan struct{} // has an element when unsaved is not empty

	mu      sync.Mutex // guards the rest
	unsaved map[string]bool
}

// newDisk starts the workers. bring does a name's turn; see reconcile.
func newDisk(root *os.Root, opt *Options, closing <-chan struct{}, bring func(name string, remove bool) error) *disk {
	d := &disk{
		root:     root,
		sync:     opt.Sync,
		patience: diskPatience,
		retry:    diskRetryAfter,
		log:      &rareLog{log: opt.Log},
		retrier:  make(chan struct{}),
		write:    (*os.File).Write,
		rename:   root.Rename,
		failing:  make(chan struct{}, 1),
		unsaved:  make(map[string]bool),
	}
	d.lanes = newLanes(bring)
	go d.retryLoop(closing)
	return d
}

// add queues a turn for the name. remove allows it to remove the file.
func (d *disk) add(name string, remove bool) *job { return d.lanes.add(name, remove) }

// wait waits for the jobs with patience, and returns the error of the first.
// late is what it returns when the first is not done by then.
//
// Once a wait was in vain, the next ones are short, until one is not: a disk
// that hangs must not delay every upload.
func (d *disk) wait(late error, jobs ...*job) (err error) {
	patience := d.patience
	if d.hangs.Load() {
		patience /= 100
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	defer func() {
		select {
		case <-jobs[0].done:
			d.hangs.Store(false)
		default:
			d.hangs.Store(true)
		}
	}()
	for _, j := range jobs {
		select {
		case <-j.done:
		case <-t.C:
			if j == jobs[0] {
				return late
			}
			return jobs[0].err
		}
	}
	return jobs[0].err
}

// existing returns the Complete file that lies under the name, or nil. A disk
// that fails is no reason to refuse an upload.
func (d *disk) existing(name string) (*version, error) {
	info, err := d.root.Stat(name)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%w: a file is where a directory should be", ErrName)
	case err != nil:
		return nil, nil
	case info.IsDir():
		return nil, ErrIsDir
	case !info.Mode().IsRegular():
		return nil, nil
	}
	return &version{name: name, file: d.transient(name, info)}, nil
}

// transient returns a File for what lies on disk under the name.
func (d *disk) transient(name string, info fs.FileInfo) *File {
	at := &diskFile{root: d.root, path: name, size: info.Size(), mod: info.ModTime()}
	return newDiskFile(name, Head{Length: -1}, at, info.Size(), info.ModTime())
}

// save writes a version under a temporary name and renames it, unless current
// says that it is not wanted any more: then it returns nil, nil.
func (d *disk) save(v *version, current func(*version) bool) (at *diskFile, err error) {
	for range saveTries {
		at, err = d.saveOnce(v, current)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			break // else a Delete removed the directory while it was empty
		}
	}
	return at, err
}

func (d *disk) saveOnce(v *version, current func(*version) bool) (*diskFile, error) {
	dir := dirOf(v.name)
	if dir != "" {
		if err := d.root.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	temp := path.Join(dir, tempPrefix+rand.Text()+tempSuffix)
	info, err := d.writeTemp(temp, v.file.View())
	if err == nil && !current(v) {
		return nil, d.root.Remove(temp)
	}
	if err == nil {
		err = d.rename(temp, v.name)
	}
	if err != nil {
		_ = d.root.Remove(temp) // what stays is swept at the next start
		return nil, err
	}
	if d.sync {
		err = d.syncDir(dir)
	}
	return &diskFile{root: d.root, path: v.name, size: info.Size(), mod: info.ModTime()}, err
}

// writeTemp writes the file and returns what it is known by.
func (d *disk) writeTemp(temp string, v View) (info fs.FileInfo, err error) {
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	for _, p := range v.AppendSlices(nil, 0, v.Size()) {
		if _, err = d.write(f, p); err != nil {
			break
		}
	}
	if err == nil && d.sync {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = d.root.Chtimes(temp, v.ModTime(), v.ModTime())
	}
	if err != nil {
		return nil, err
	}
	return d.root.Lstat(temp)
}

func (d *disk) syncDir(dir string) error {
	if dir == "" {
		dir = "."
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// remove removes the file and the directories that this leaves empty.
func (d *disk) remove(name string) error {
	info, err := d.root.Lstat(name)
	if err == nil && !info.IsDir() {
		err = d.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := dirOf(name); dir != ""; dir = dirOf(dir) {
		if d.root.Remove(dir) != nil {
			break // not empty
		}
	}
	return nil
}

// failed counts and logs an error.
func (d *disk) failed(doing, name string, err error) {
	d.errs.Add(1)
	d.log.warn("disk failed", "doing", doing, "name", name, "error", err)
}

// close lets the workers do what is queued, tries once more what failed, and
// ends them.
func (d *disk) close(ctx context.Context) error {
	<-d.retrier
	for _, name := range d.unsavedNames() {
		d.lanes.add(name, false)
	}
	if err := d.lanes.close(ctx); err != nil {
		return fmt.Errorf("close %s: %w", d.root.Name(), err)
	}
	if n := d.unsavedCount(); n > 0 {
		return fmt.Errorf("close %s: %w: %d files", d.root.Name(), ErrUnsaved, n)
	}
	return nil
}
