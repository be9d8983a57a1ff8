package folder

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// When a follower looks at its file.
const (
	// spell is how long a file must not have grown before it is asked whether
	// its writer has gone; it doubles up to slowPoll.
	spell    = 20 * time.Millisecond
	slowPoll = 500 * time.Millisecond
)

// Why an upload is ended, for its readers.
var (
	errDeleted    = errors.New("file was deleted while it was written")
	errReplaced   = errors.New("file was replaced while it was written")
	errShrunk     = errors.New("file was cut short while it was read")
	errChanged    = errors.New("file was changed behind its end")
	errCut        = errors.New("file ends within an MP4 fragment or a TS packet: its writer was killed")
	errCutText    = errors.New("manifest is not whole: its writer was killed")
	errNotRenamed = errors.New("file was left by its writer before it was renamed")
)

// tools are what all followers share. Static.
type tools struct {
	root    *os.Root
	sink    target
	writers func(*os.File) writerState
	quiet   time.Duration
	seed    maphash.Seed
	buffers *sync.Pool // of *[pieceSize]byte
	reports chan report
}

// report is what a follower tells the loop: once, that it waits for more of its
// file (end nil), and how it ended.
type report struct {
	from *follower
	end  *outcome
}

// verdict is what the loop tells a follower: once at most that its NAME.tmp has
// become NAME (reason nil), and once at most why its file is not to be had.
type verdict struct{ reason error }

// follower reads one file into one upload.
type follower struct {
	// Static.
	*tools
	path    string      // in the folder, when it was found
	name    string      // in the store
	track   string      // of a segment
	whole   bool        // put into the store in one go
	info    fs.FileInfo // of the file when it was found
	arrival segstore.Arrival
	before  digest // of the version before, for a whole one

	// From the loop.
	grew     chan struct{} // there is more to read, perhaps
	nudged   chan struct{} // its writer may have gone on to the next file
	verdicts chan verdict

	// Owned by the loop.
	turn turn

	// Owned by the follower's goroutine.
	way     way
	moved   bool // came under its name by a rename
	file    *os.File
	up      upload // nil before the first byte
	off     int64  // bytes read
	boxes   boxWalk
	packets packetWalk
	sum     maphash.Hash
	ask     bool          // ask for the writer at the next look
	more    bool          // the file was not read to its end
	shown   bool          // a NAME.tmp: may be published
	begun   bool          // the loop knows that it waits
	seen    ident         // the file at the last look
	last    time.Time     // of growth, or of change
	left    time.Time     // a NAME.tmp: since when it has no writer
	delay   time.Duration // to the next look
	stop    error         // why the file is not to be had
}

// run follows the file to its end and reports it.
func (f *follower) run(ctx context.Context) {
	end := f.follow(ctx)
	f.reports <- report{f, &end} // has room for all of them
}

func (f *follower) follow(ctx context.Context) outcome {
	f.sum.SetSeed(f.seed)
	f.ask, f.delay = true, spell
	if err := f.open(); err != nil {
		return f.failed(err)
	}
	defer func() { _ = f.file.Close() }() // only read from
	for {
		if end, over := f.look(ctx); over {
			return end
		}
		if !f.begun && !f.more {
			f.begun = true
			f.reports <- report{from: f}
		}
		f.sleep(ctx)
	}
}

func (f *follower) open() error {
	file, err := f.root.OpenFile(f.path, openFlags, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, f.info) {
		err = errReplaced
	}
	if err != nil {
		_ = file.Close() // nothing was read
		return err
	}
	f.file = file
	f.last = info.ModTime()
	if now := time.Now(); f.last.After(now) {
		f.last = now
	}
	return nil
}

// sleep waits for a reason to look again.
func (f *follower) sleep(ctx context.Context) {
	if f.more {
		return
	}
	timer := time.NewTimer(f.delay)
	defer timer.Stop()
	began := time.Now()
	select {
	case <-ctx.Done():
	case v := <-f.verdicts:
		f.hear(v)
		return
	case <-f.grew:
	case <-f.nudged:
		f.ask = true
	case <-timer.C:
	}
	// Events without growth must not put the question off for ever.
	f.delay -= time.Since(began)
	if f.delay <= 0 {
		f.ask = true
		f.delay = min(2*max(spell, time.Since(f.last)), slowPoll, max(f.enough()/2, spell))
	}
}

// look reads what there is, and finds whether the file has ended.
func (f *follower) look(ctx context.Context) (end outcome, over bool) {
	select {
	case v := <-f.verdicts:
		f.hear(v)
	default:
	}
	now, err := f.stat()
	switch {
	case ctx.Err() != nil:
		return f.drop(ended, context.Cause(ctx)), true
	case f.stop != nil:
		return f.drop(ended, f.stop), true
	case err != nil:
		return f.failed(err), true
	}
	changed := now != f.seen
	f.seen = now
	if f.whole {
		return f.lookWhole(ctx, changed)
	}
	return f.lookGrowing(ctx)
}

// hear takes a verdict. A NAME.tmp that was renamed is written under its own
// name from then on, until its writer closes it.
func (f *follower) hear(v verdict) {
	if f.stop = v.reason; f.stop == nil {
		f.way, f.moved, f.ask = inPlace, true, true
	}
}

func (f *follower) stat() (ident, error) {
	info, err := f.file.Stat()
	if err != nil {
		return ident{}, err
	}
	return identOf(info), nil
}

// writer asks who has the file open, if it is time to.
func (f *follower) writer() (state writerState, asked bool) {
	if !f.ask {
		return writerUnknown, false
	}
	f.ask = false
	return f.writers(f.file), true
}

// failed is the outcome of an error in the midst of it.
func (f *follower) failed(err error) outcome {
	var no *refusal
	switch {
	case errors.As(err, &no):
		return f.drop(refused, no.err)
	case errors.Is(err, errShrunk), errors.Is(err, errChanged), errors.Is(err, errReplaced):
		return f.drop(anew, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrClosed): // or the directory has gone
		return f.drop(ended, errDeleted)
	case errors.Is(err, errStopped):
		return f.drop(ended, err)
	}
	return f.drop(unreadable, fmt.Errorf("read file: %w", err))
}

// drop ends the upload, if there is one, for the reason given.
func (f *follower) drop(h how, reason error) outcome {
	if f.up != nil {
		f.up.Abort(reason)
	}
	return outcome{how: h, err: reason, seen: f.seen}
}
