package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// Output is where uploads go. Its methods may be called from any goroutine.
type Output struct {
	// Static. Each guards itself.
	opt   Options
	to    outlet
	turns turns
	stop  context.Context // ends all uploads
	halt  context.CancelCauseFunc
	hard  context.Context // ends them without grace
	kill  context.CancelFunc

	mu      sync.Mutex // guards the rest
	closed  bool
	stats   Stats
	drained chan struct{} // closed once it is closed and nothing is under way
}

// Stats are the figures of an Output since the start.
type Stats struct {
	Taken   int64 // uploads that the output took whole
	Aborted int64 // uploads that broke off
	Failed  int64 // uploads that the output failed, or was too slow for
	Refused int64 // uploads that were told ErrBusy
	Bytes   int64 // that the output took, of all uploads
	Active  int   // uploads under way, with those that wait for their turn
}

// outlet is a kind of output.
type outlet interface {
	// name is for logs and errors.
	name() string
	// key returns what an upload needs for itself alone; ok is false if nothing.
	key(u Upload) (key string, ok bool)
	// open begins an upload. It may wait while t.ctx is not done.
	open(t *transfer) (sink, error)
	// close gives up what is kept between uploads.
	close() error
}

// sink takes one upload. One of finish and abort is called, once; neither
// leaves anything running.
type sink interface {
	// Write fails when the output has, and when the transfer's context is done.
	io.Writer
	// finish says that the upload is whole, and returns what became of it.
	finish() error
	// abort says that it is not.
	abort()
}

// New returns an Output, which must be closed. The error says in one line what
// is wrong: the command is not found, the directory cannot be written to, the
// path is no pipe.
func New(opt Options) (*Output, error) {
	if err := opt.settle(); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	to, err := newOutlet(&opt)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	o := &Output{opt: opt, to: to, drained: make(chan struct{})}
	o.stop, o.halt = context.WithCancelCause(context.Background())
	o.hard, o.kill = context.WithCancel(context.Background())
	return o, nil
}

func newOutlet(opt *Options) (outlet, error) {
	switch {
	case len(opt.Exec) > 0:
		return newCommand(opt)
	case opt.FIFO != "":
		return newFIFO(opt)
	case opt.File != "":
		return newFiles(opt)
	case opt.Stdout != nil:
		return &stdout{opt.Stdout}, nil
	}
	return newServer(opt)
}

// Take gives the body to an output, to its end, and returns what became of it:
// nil, ErrBusy, ErrClosed, what wraps ErrName, a *BodyError or an *OutputError.
// When ctx is done before the body has ended, the upload has broken off;
// afterwards ctx does not matter, since senders go once they have sent. So who
// has seen the body's end already passes a ctx that is not done with the sender.
//
// Take returns once the body is read no more. A Read that blocks when the output
// fails is interrupted if the body has a SetReadDeadline as net.Conn has, which
// is left in the past then; otherwise Take waits for it.
func (o *Output) Take(ctx context.Context, u Upload, body io.Reader) error {
	u, err := o.opt.seen(u)
	if err != nil {
		return err
	}
	if err := o.enter(); err != nil {
		return err
	}
	t := newTransfer(ctx, o, u)
	err = t.run(body)
	t.release()
	o.leave(t, err)
	return err
}

func (o *Output) enter() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ErrClosed
	case o.stats.Active == o.opt.MaxOutputs:
		o.stats.Refused++
		return ErrBusy
	}
	o.stats.Active++
	return nil
}

func (o *Output) leave(t *transfer, err error) {
	tell(t, err)
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &o.stats
	s.Active--
	switch {
	case err == nil:
		s.Taken++
	case errors.Is(err, ErrBusy):
		s.Refused++
	case errors.As(err, new(*OutputError)):
		s.Failed++
	case errors.As(err, new(*BodyError)):
		s.Aborted++
	}
	if o.closed && s.Active == 0 {
		close(o.drained)
	}
}

func tell(t *transfer, err error) {
	log := t.log.With("bytes", t.bytes)
	switch {
	case err == nil:
		log.Debug("upload taken")
	case errors.Is(err, ErrBusy):
		log.Info("upload refused", "err", err)
	case errors.As(err, new(*OutputError)):
		log.Warn("upload not taken", "err", err)
	case errors.As(err, new(*BodyError)):
		log.Warn("upload broke off, and the output was told", "err", err)
	default:
		log.Info("upload refused", "err", err)
	}
}

// count takes bytes in that the output took.
func (o *Output) count(n int) {
	o.mu.Lock()
	o.stats.Bytes += int64(n)
	o.mu.Unlock()
}

// Stats returns the figures.
func (o *Output) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}

// Close breaks off what is under way, as if the senders had, and returns once
// nothing is left running. Commands that are still there when ctx is done are
// killed. The error says that an upload's Read still blocks.
func (o *Output) Close(ctx context.Context) error {
	o.mu.Lock()
	first := !o.closed
	o.closed = true
	if first && o.stats.Active == 0 {
		close(o.drained)
	}
	o.mu.Unlock()
	o.halt(ErrClosed)
	err := o.drain(ctx)
	o.kill()
	if !first {
		return err
	}
	return errors.Join(err, o.to.close())
}

func (o *Output) drain(ctx context.Context) error {
	select {
	case <-o.drained:
		return nil
	case <-ctx.Done():
	}
	o.kill()
	if waitFor(o.drained, o.opt.times.grace, nil) {
		return nil
	}
	return fmt.Errorf("close output %s: %w", o.to.name(), context.Cause(ctx))
}

// logger returns the log for an upload.
func (o *Output) logger(u Upload) *slog.Logger {
	return o.opt.Log.With("output", o.to.name(), "file", u.Name, "peer", u.Peer)
}
