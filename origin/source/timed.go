package source

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// deadliner is a file or connection whose writes can be interrupted.
type deadliner interface {
	io.Writer
	SetWriteDeadline(t time.Time) error
}

// timed writes to an output that must make progress: it fails once ctx is done,
// and when nothing is taken for a span; 0 is none.
type timed struct {
	ctx context.Context
	to  deadliner
	max time.Duration
}

func (w *timed) Write(p []byte) (n int, err error) {
	// The deadline that this sets late does no harm: nothing is written any more.
	defer context.AfterFunc(w.ctx, func() { _ = w.to.SetWriteDeadline(longAgo) })()
	for n < len(p) {
		took, err := w.once(p[n:])
		n += took
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// once writes until all is taken or the span is over.
func (w *timed) once(p []byte) (n int, err error) {
	var at time.Time
	if w.max > 0 {
		at = time.Now().Add(w.max)
	}
	if err := w.to.SetWriteDeadline(at); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	if w.ctx.Err() != nil { // its deadline may be gone now
		return 0, context.Cause(w.ctx)
	}
	n, err = w.to.Write(p)
	switch {
	case err == nil || !errors.Is(err, os.ErrDeadlineExceeded):
		return n, err
	case w.ctx.Err() != nil:
		return n, context.Cause(w.ctx)
	case n == 0:
		return 0, slowError(w.max)
	}
	return n, nil // it is slow, but it moves
}
