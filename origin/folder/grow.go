package folder

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// How files are read.
const (
	pieceSize = 64 << 10
	// mostPieces are read before the follower looks whether it was told to stop.
	mostPieces = 64
	// patience is how many times longer than Quiet a NAME.tmp may stand still
	// where nobody knows whether its writer is there.
	patience = 10
)

func (f *follower) lookGrowing(ctx context.Context) (end outcome, over bool) {
	f.ask = f.ask || f.hiddenYet()
	writer, asked := f.writer()
	if f.hiddenYet() {
		f.shown = f.mayShow(writer)
	}
	var grown bool
	if !f.hiddenYet() {
		var err error
		if grown, err = f.pump(ctx); err != nil {
			return f.failed(err), true
		}
	}
	if grown {
		f.last, f.left, f.delay = time.Now(), time.Time{}, spell
	}
	switch {
	case f.more:
		f.ask = f.ask || asked // at its end
		return outcome{}, false
	case !asked:
		return outcome{}, false
	case f.way == asTemp:
		return f.lookLeft(writer)
	case grown && writer == writerAbsent:
		f.ask, f.more = true, true // at once: only this was still to be read
		return outcome{}, false
	case !f.over(writer, f.enough()):
		return outcome{}, false
	}
	return f.finish(ctx)
}

// hiddenYet tells of a NAME.tmp that has shown no sign of a writer: what a
// crash left behind must not stand before the version that there is.
func (f *follower) hiddenYet() bool { return f.way == asTemp && !f.shown }

func (f *follower) mayShow(writer writerState) bool {
	return writer == writerPresent || writer == writerUnknown && time.Since(f.last) < f.quiet
}

// over says whether a file that was read to its end, and is written under its
// own name, has come to its end.
func (f *follower) over(writer writerState, quiet time.Duration) bool {
	switch writer {
	case writerAbsent:
		return true
	case writerPresent:
		return false
	}
	return f.moved || time.Since(f.last) >= quiet
}

// enough is how long the file must not have grown if nobody knows whether its
// writer is there. A manifest is written in one go; so is an init segment, which
// shows its end, too.
func (f *follower) enough() time.Duration {
	if f.whole || segstore.KindOf(f.name) == segstore.Init && isMP4(f.name) && f.boxes.whole() {
		return f.quiet / 10
	}
	return f.quiet
}

// lookLeft gives a NAME.tmp up that nobody will rename.
func (f *follower) lookLeft(writer writerState) (end outcome, over bool) {
	now := time.Now()
	switch {
	case writer == writerPresent:
		f.left = time.Time{}
		return outcome{}, false
	case writer == writerAbsent && f.left.IsZero():
		f.left = now
		return outcome{}, false
	case writer == writerAbsent && now.Sub(f.left) < f.quiet,
		writer == writerUnknown && now.Sub(f.last) < patience*f.quiet:
		return outcome{}, false
	}
	return f.drop(broken, errNotRenamed), true
}

// finish ends the upload, unless the file has changed since the look began.
func (f *follower) finish(ctx context.Context) (end outcome, over bool) {
	if err := f.verify(ctx); err != nil {
		return f.failed(err), true
	}
	after, err := f.stat()
	switch {
	case err != nil:
		return f.failed(err), true
	case after != f.seen:
		f.last = time.Now()
		return outcome{}, false
	case f.cut():
		return f.drop(broken, errCut), true
	}
	return f.keep(), true
}

// cut reports that the file ends where none of its format does.
func (f *follower) cut() bool {
	return isMP4(f.name) && !f.boxes.whole() || isTS(f.name) && !f.packets.whole()
}

// keep makes the upload whole.
func (f *follower) keep() outcome {
	if f.up == nil {
		return outcome{how: empty, seen: f.seen}
	}
	return outcome{how: taken, seen: f.seen, err: f.up.Close()}
}

// pump gives what there is to read to the upload.
func (f *follower) pump(ctx context.Context) (grown bool, err error) {
	buf := f.buffers.Get().(*[pieceSize]byte)
	defer f.buffers.Put(buf)
	f.more = true
	for n := 0; n < mostPieces && f.more; n++ {
		if ctx.Err() != nil {
			return grown, fmt.Errorf("%w: %w", errStopped, context.Cause(ctx))
		}
		got, err := f.file.ReadAt(buf[:], f.off)
		if got > 0 {
			grown = true
			if err := f.give(buf[:got]); err != nil {
				return grown, err
			}
		}
		if f.more = err == nil; !f.more && !errors.Is(err, io.EOF) {
			return grown, err
		}
	}
	now, err := f.stat()
	if err == nil && now.size < f.off {
		err = errShrunk
	}
	return grown, err
}

// give appends p to the upload, which begins with the first byte.
func (f *follower) give(p []byte) error {
	if f.up == nil {
		up, err := f.sink.create(f.name, f.arrival)
		if err != nil {
			return &refusal{err}
		}
		f.up = up
	}
	_, _ = f.sum.Write(p) // never fails
	f.boxes.scan(p)
	f.packets.scan(p)
	f.off += int64(len(p))
	if _, err := f.up.Write(p); err != nil {
		return &refusal{err}
	}
	return nil
}

// verify reads the file again: a packager may go back and change what it wrote,
// or begin anew unnoticed. The bytes come from the page cache.
func (f *follower) verify(ctx context.Context) error {
	var again maphash.Hash
	again.SetSeed(f.seed)
	buf := f.buffers.Get().(*[pieceSize]byte)
	defer f.buffers.Put(buf)
	for off := int64(0); off < f.off; {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errStopped, context.Cause(ctx))
		}
		n, err := f.file.ReadAt(buf[:min(pieceSize, f.off-off)], off)
		if n == 0 && errors.Is(err, io.EOF) {
			return errShrunk
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		_, _ = again.Write(buf[:n]) // never fails
		off += int64(n)
	}
	if again.Sum64() != f.sum.Sum64() {
		return errChanged
	}
	return nil
}
