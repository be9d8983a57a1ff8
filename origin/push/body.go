package push

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// pieceSize is the most that is handed to a connection at once, so that a
// request on a slow line is seen to make progress.
const pieceSize = 64 << 10

// pieces is what an upload is read from: one piece after the other, io.EOF
// after the last. A piece stays valid until the next call and is not changed.
type pieces interface {
	next(ctx context.Context) ([]byte, error)
}

// readerPieces makes pieces of a Reader, whose Read is not interrupted.
type readerPieces struct {
	r   io.Reader
	buf []byte
}

// next waits for bytes; where the reader can be interrupted (SetReadDeadline), no
// longer than ctx lasts.
func (p *readerPieces) next(ctx context.Context) ([]byte, error) {
	if d, ok := p.r.(interface{ SetReadDeadline(time.Time) error }); ok {
		defer context.AfterFunc(ctx, func() { _ = d.SetReadDeadline(time.Unix(1, 0)) })()
	}
	if p.buf == nil {
		p.buf = make([]byte, pieceSize)
	}
	for range 100 { // as bufio does
		n, err := p.r.Read(p.buf)
		if n > 0 {
			return p.buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, io.ErrNoProgress
}

// body is the body of a request. The transport reads it from one goroutine at
// a time, which may outlast the request; stop ends that.
type body struct {
	ctx    context.Context
	cancel context.CancelFunc
	watch  *watchdog
	conn   atomic.Pointer[conn] // that it goes to; nil while not known

	mu   sync.Mutex // guards the rest; it is held while src is read
	src  pieces     // nil after stop
	rest []byte     // of the piece that Read is in
	err  error      // how src ended
	sent int64
}

func newBody(ctx context.Context, src pieces, w *watchdog) *body {
	b := &body{src: src, watch: w}
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b
}

// next returns what comes next. Waiting for the source is no lack of progress
// of the server. b.mu is held.
func (b *body) next() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.src == nil {
		return nil, context.Canceled
	}
	if c := b.conn.Load(); c != nil {
		defer context.AfterFunc(c.open, b.cancel)()
	}
	b.watch.pause()
	p, err := b.src.next(b.ctx)
	b.watch.resume()
	b.err = err
	b.sent += int64(len(p))
	return p, err
}

// WriteTo hands each piece over in one Write. The HTTP/1.1 transport calls it
// for a chunked body and makes one HTTP chunk of each Write.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		n, err := b.writePiece(w)
		total += n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func (b *body) writePiece(w io.Writer) (int64, error) {
	b.mu.Lock()
	p, err := b.next()
	b.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := w.Write(p)
	if err == nil {
		b.watch.resume()
	}
	return int64(n), err
}

// Read is for HTTP/2, and for bodies with a length.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rest) == 0 {
		piece, err := b.next()
		if err != nil {
			return 0, err
		}
		b.rest = piece
	} else {
		b.watch.resume()
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close ends a wait for the source. The transport calls it.
func (b *body) Close() error {
	b.cancel()
	return nil
}

// stop returns once the source is read no more. It tells how many bytes were
// read, whether that was all, and the source's own error.
func (b *body) stop() (sent int64, whole bool, err error) {
	b.cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.src = nil
	if whole = errors.Is(b.err, io.EOF); whole || errors.Is(b.err, context.Canceled) {
		return b.sent, whole, nil
	}
	return b.sent, false, b.err
}

// watchdog cancels a request that makes no progress.
type watchdog struct {
	after time.Duration
	timer *time.Timer
}

func newWatchdog(after time.Duration, cancel context.CancelCauseFunc) *watchdog {
	return &watchdog{after: after, timer: time.AfterFunc(after, func() { cancel(ErrStalled) })}
}

func (w *watchdog) pause()  { w.timer.Stop() }
func (w *watchdog) resume() { w.timer.Reset(w.after) }
