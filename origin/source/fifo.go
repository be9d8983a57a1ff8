package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// A reader is looked for at these intervals, as opening a pipe does not wait.
const (
	lookFirst = 2 * time.Millisecond
	lookMost  = 100 * time.Millisecond
)

// fifo is a named pipe.
type fifo struct {
	opt  *Options
	path string

	mu    sync.Mutex // guards the rest
	held  *os.File   // what stays open after an upload; who takes it owns it
	swaps int
	timer *time.Timer
}

// newFIFO makes the pipe if it is not there.
func newFIFO(opt *Options) (*fifo, error) {
	info, err := os.Stat(opt.FIFO)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makePipe(opt.FIFO); err == nil || errors.Is(err, fs.ErrExist) {
			info, err = os.Stat(opt.FIFO)
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("named pipe %s: %w", opt.FIFO, err)
	case info.Mode()&fs.ModeNamedPipe == 0:
		return nil, fmt.Errorf("%s is there, and is not a named pipe", opt.FIFO)
	}
	if err := mayWrite(opt.FIFO); err != nil {
		return nil, fmt.Errorf("named pipe %s cannot be written to: %w", opt.FIFO, err)
	}
	return &fifo{opt: opt, path: opt.FIFO}, nil
}

func (f *fifo) name() string              { return "fifo:" + f.path }
func (f *fifo) key(Upload) (string, bool) { return "", true }

// swap puts file in the place of what is held, for at most so long, and returns
// that.
func (f *fifo) swap(file *os.File, atMost time.Duration) *os.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.held
	if f.timer != nil {
		f.timer.Stop()
	}
	f.swaps++
	if f.held = file; file != nil {
		n := f.swaps
		f.timer = time.AfterFunc(atMost, func() { f.drop(n) })
	}
	return before
}

// drop closes what is held, if that is so since the swap of that number.
func (f *fifo) drop(swap int) {
	var file *os.File
	f.mu.Lock()
	if f.swaps == swap {
		file, f.held = f.held, nil
	}
	f.mu.Unlock()
	if file != nil {
		_ = file.Close() // all writes have returned
	}
}

func (f *fifo) close() error {
	if file := f.swap(nil, 0); file != nil {
		return file.Close()
	}
	return nil
}

// open goes on with what is held; if its reader has gone, Write finds out.
func (f *fifo) open(t *transfer) (sink, error) {
	s := &fifoSink{of: f, t: t, began: time.Now(), file: f.swap(nil, 0)}
	if s.file != nil {
		return s, nil
	}
	if err := s.reopen(); err != nil {
		return nil, err
	}
	return s, nil
}

// fifoSink is one upload into the pipe.
type fifoSink struct {
	of    *fifo
	t     *transfer
	began time.Time
	file  *os.File
	some  bool // the pipe took some of it
}

// reopen closes the pipe, if it is open, and waits for a reader.
func (s *fifoSink) reopen() error {
	if s.file != nil {
		_ = s.file.Close() // its reader has gone
	}
	patience := s.t.o.opt.patience()
	start := time.Now()
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		var err error
		if s.file, err = openPipe(s.of.path); !errors.Is(err, syscall.ENXIO) {
			return err
		}
		if patience > 0 && time.Since(start) > patience {
			return noReaderError(patience)
		}
		if waitFor(s.t.ctx.Done(), pause, nil) {
			return s.t.ctx.Err()
		}
	}
}

// Write waits for another reader as long as none has got anything of the upload.
func (s *fifoSink) Write(b []byte) (int, error) {
	for {
		w := timed{ctx: s.t.ctx, to: s.file, max: s.t.o.opt.patience()}
		n, err := w.Write(b)
		s.some = s.some || n > 0
		switch {
		case !errors.Is(err, syscall.EPIPE):
			return n, err
		case s.some:
			return n, errReaderGone
		}
		if err := s.reopen(); err != nil {
			return 0, err
		}
	}
}

// finish keeps the pipe open for the next upload.
func (s *fifoSink) finish() error {
	s.of.swap(s.file, s.of.linger(s.t.u, time.Since(s.began)))
	return nil
}

// linger returns how long the pipe stays open after an upload that took so long.
func (f *fifo) linger(u Upload, took time.Duration) time.Duration {
	least := f.opt.times.linger
	switch segstore.KindOf(u.Name) {
	case segstore.Init, segstore.Segment, segstore.Part:
		least = f.opt.times.lingerSegment
	}
	return min(max(2*took, least), f.opt.times.lingerAtLongest)
}

func (s *fifoSink) abort() {
	if s.file != nil {
		_ = s.file.Close() // the reader sees the end in mid-stream
	}
}
