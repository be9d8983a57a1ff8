package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// FIFO is an input that is a named pipe. When its writer goes away, the next one
// is waited for.
type FIFO struct {
	Path string

	mu   sync.Mutex // guards next
	next *os.File   // opened for the next writer while the one before was still open
}

// Traits is Input.Traits.
func (f *FIFO) Traits() Traits {
	return Traits{Name: f.Path, Again: Endlessly, Retry: true, Waits: true}
}

// Open waits for a writer that writes, or closes.
func (f *FIFO) Open(ctx context.Context) (io.ReadCloser, error) {
	file := f.swap(nil)
	if file == nil {
		var err error
		if file, err = openPipe(f.Path); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { closeQuietly(file) })
	err := awaitWriter(file)
	if !stop() || err != nil {
		closeQuietly(file)
		return nil, errors.Join(context.Cause(ctx), err)
	}
	return &fifo{File: file, of: f}, nil
}

// Close closes what is kept for the next writer.
func (f *FIFO) Close() error {
	closeQuietly(f.swap(nil))
	return nil
}

// swap puts file in the place of what is kept, and returns that.
func (f *FIFO) swap(file *os.File) *os.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.next
	f.next = file
	return before
}

// openPipe opens the reading end of a named pipe, and nothing else.
func openPipe(path string) (*os.File, error) {
	file, err := openFIFO(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode()&fs.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s is not a named pipe", path)
	}
	if err != nil {
		closeQuietly(file)
		return nil, err
	}
	return file, nil
}

// fifo is what one writer writes, or several who overlap.
type fifo struct {
	*os.File
	of *FIFO
}

// Read returns io.EOF when the last writer is gone. Before that it opens the
// pipe for the next one, who would be refused while nobody has it open.
func (f *fifo) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if errors.Is(err, io.EOF) {
		if next, failed := openPipe(f.of.Path); failed == nil {
			closeQuietly(f.of.swap(next))
		}
	}
	return n, endOfClosed(err)
}
