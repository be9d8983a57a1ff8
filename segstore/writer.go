package segstore

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// How a Writer reads, and the blocks it reads into.
const (
	// readLeast is what a read asks for when bytes come slowly: net/http's
	// chunked reader does not return before it has all that was asked for, or
	// the end of an HTTP chunk.
	readLeast = 1 << 10
	// readSlow tells a slow read from one that found its bytes waiting.
	readSlow = time.Millisecond

	blockLeast = 16 << 10
	blockMost  = 128 << 10
	// blockBelieved is the largest announced length that is taken as one block
	// before a byte of it has come.
	blockBelieved = 1 << 20
)

// ErrLength is the reason of a file whose upload ended before, or went on
// beyond, the length it had announced.
var ErrLength = errors.New("upload differs from its announced length")

// keeper is what a Writer asks of the store it writes for.
type keeper interface {
	// reserve is asked before n more bytes of memory are taken for f, and told
	// with a negative n of bytes that are given back, which it never refuses.
	reserve(f *File, n int) error
	// settle is told that f became Complete (err nil) or Failed, and returns
	// once that is as durable as the store makes it.
	settle(f *File, err error) error
}

// Writer is the one upload that fills a File. Write, ReadFrom, Close and Abort
// are for one goroutine. Exactly one of Close and Abort ends it; Abort after
// either does nothing.
type Writer struct {
	// Static after construction.
	file   *File
	keeper keeper
	head   Head
	before time.Time // modTime of the version before

	// Owned by the uploading goroutine.
	boxes boxScanner
	ask   int // what the next read asks for

	mu     sync.Mutex // guards the rest
	blocks []block
	filled int64     // bytes received
	shown  int64     // bytes published
	lastAt time.Time // of the last publish
	due    time.Time // when the first unpublished byte must be; zero when there is none
	timer  *time.Timer
	armed  bool // timer runs
	ended  bool
}

// newWriter makes f Growing and returns its Writer.
func newWriter(f *File, k keeper, h Head, before time.Time) *Writer {
	w := &Writer{file: f, keeper: k, head: h, before: before, ask: readLeast}
	close(f.set(&view{head: h, state: Growing, next: make(chan struct{})}))
	return w
}

// File returns the file that is being filled.
func (w *Writer) File() *File { return w.file }

// ReadFrom appends what r has, straight into the file's blocks, until EOF. It
// publishes at the end of each fragment (moof and mdat), at 64 KiB pending,
// and a few milliseconds after the first unpublished byte. An error is r's, or
// the store's when it has no room; the caller then calls Abort.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	for {
		if w.head.Length >= 0 && w.filled == w.head.Length {
			return total, w.expectEOF(r)
		}
		buf, err := w.tail()
		if err != nil {
			return total, err
		}
		buf = buf[:min(len(buf), w.ask)]
		began := time.Now()
		n, err := r.Read(buf)
		total += int64(n)
		if n > 0 {
			w.pace(n == len(buf), time.Since(began))
			w.received(buf[:n], n < len(buf))
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// expectEOF reads the end of an upload whose announced length is all in.
func (w *Writer) expectEOF(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return fmt.Errorf("%w: more than %d bytes", ErrLength, w.head.Length)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Write appends a copy of p and publishes it by the rules of ReadFrom.
func (w *Writer) Write(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		buf, err := w.tail()
		if err != nil {
			return total, err
		}
		n := copy(buf, p)
		p, total = p[n:], total+n
		w.received(buf[:n], len(p) == 0)
	}
	return total, nil
}

// Close publishes what is left and makes the file Complete. When the announced
// length was not met the file fails instead, with ErrLength. An error of the
// store (a disk that failed) is returned, but the file is Complete.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return ErrState
	}
	if w.head.Length >= 0 && w.head.Length != w.filled {
		err := fmt.Errorf("%w: %d bytes of %d", ErrLength, w.filled, w.head.Length)
		w.mu.Unlock()
		w.Abort(err)
		return err
	}
	w.trim()
	v := w.end(Complete, nil)
	v.modTime = modTimeAfter(w.before)
	v.etag = MakeETag(v.modTime, v.size)
	wake := w.file.set(v)
	w.mu.Unlock()
	close(wake)
	return w.keeper.settle(w.file, nil)
}

// Abort makes the file Failed for the reason given: its readers get what was
// published and then the reason.
func (w *Writer) Abort(reason error) {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return
	}
	wake := w.file.set(w.end(Failed, reason))
	w.mu.Unlock()
	close(wake)
	_ = w.keeper.settle(w.file, reason) // a failed file has nothing to keep
}

// end returns the final view, all that was received being published. w.mu is held.
func (w *Writer) end(s State, reason error) *view {
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
	w.shown = w.filled
	return &view{head: w.head, blocks: w.blocks, size: w.filled, state: s, err: reason}
}

// tail returns the free room at the end of the file; it takes a new block when
// the last is full.
func (w *Writer) tail() ([]byte, error) {
	if n := len(w.blocks); n > 0 {
		last := w.blocks[n-1]
		if used := w.filled - last.off; used < int64(len(last.b)) {
			return last.b[used:], nil
		}
	}
	size := w.nextBlock()
	err := w.keeper.reserve(w.file, size)
	if err != nil && size > blockLeast {
		size = blockLeast // a small one may still fit
		err = w.keeper.reserve(w.file, size)
	}
	if err != nil {
		return nil, err
	}
	b := block{off: w.filled, b: make([]byte, size)}
	w.mu.Lock()
	w.blocks = append(w.blocks, b)
	w.mu.Unlock()
	return b.b, nil
}

func (w *Writer) nextBlock() int {
	if len(w.blocks) == 0 && w.head.Length > 0 && w.head.Length <= blockBelieved {
		return int(w.head.Length)
	}
	size := blockLeast << min(len(w.blocks), 8)
	return min(size, blockMost)
}

// pace asks for more when bytes wait to be read, for little when they trickle.
func (w *Writer) pace(full bool, took time.Duration) {
	if full && took < readSlow {
		w.ask = min(2*w.ask, publishBytes)
		return
	}
	w.ask = readLeast
}

// trim gives back the unused end of the last block when it is worth the copy.
// Older views share the slice of blocks, so it is replaced, not changed. w.mu is held.
func (w *Writer) trim() {
	n := len(w.blocks)
	if n == 0 {
		return
	}
	last := w.blocks[n-1]
	used := int(w.filled - last.off)
	waste := len(last.b) - used
	if waste <= len(last.b)/8 {
		return
	}
	blocks := append(make([]block, 0, n), w.blocks[:n-1]...)
	if used > 0 {
		blocks = append(blocks, block{off: last.off, b: append(make([]byte, 0, used), last.b[:used]...)})
	}
	w.blocks = blocks
	_ = w.keeper.reserve(w.file, -waste) // giving back is never refused
}
