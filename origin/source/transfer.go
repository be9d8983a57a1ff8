package source

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
)

// readSize is the most that is read of a body at once.
const readSize = 64 << 10

// transfer is one upload on its way to an output. Its life: turn -> open -> copy
// -> finish or abort.
type transfer struct {
	// Static.
	u      Upload
	o      *Output
	log    *slog.Logger
	sender context.Context
	// ctx is done when the upload is to be broken off: the output has failed
	// (the cause is an *OutputError), the Output is closed, or the sender's
	// context was done while it mattered.
	ctx    context.Context
	cancel context.CancelCauseFunc
	loose  func() bool // from the Output

	bytes int64 // read of the body; owned by run
}

func newTransfer(ctx context.Context, o *Output, u Upload) *transfer {
	t := &transfer{u: u, o: o, log: o.logger(u), sender: ctx}
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	t.loose = context.AfterFunc(o.stop, func() { t.cancel(ErrClosed) })
	return t
}

// release ends what the transfer has begun.
func (t *transfer) release() {
	t.loose()
	t.cancel(nil)
}

// heed makes the sender's context end the transfer until off is called, once. A
// sender may go as soon as it has sent all, before that is read here: so its
// context is not heeded while the body is read, which tells.
func (t *transfer) heed() (off func()) {
	stop := context.AfterFunc(t.sender, func() { t.cancel(context.Cause(t.sender)) })
	return func() {
		if !stop() {
			<-t.ctx.Done()
		}
	}
}

// fail says that the output has failed by itself.
func (t *transfer) fail(err error) { t.cancel(t.outputError(err)) }

func (t *transfer) outputError(err error) error {
	return &OutputError{Output: t.o.to.name(), Err: err}
}

// broken returns why the upload is broken off, once it is.
func (t *transfer) broken() error {
	cause := context.Cause(t.ctx)
	if cause == nil {
		cause = context.Cause(t.sender)
	}
	if errors.As(cause, new(*OutputError)) {
		return cause
	}
	return &BodyError{cause}
}

func (t *transfer) run(body io.Reader) error {
	off := sync.OnceFunc(t.heed())
	defer off()
	if key, ok := t.o.to.key(t.u); ok {
		if err := t.o.turns.acquire(t.ctx, key, t.o.opt.Timeout); err != nil {
			return t.verdict(err)
		}
		defer t.o.turns.release(key)
	}
	s, err := t.o.to.open(t)
	if err != nil {
		return t.verdict(err)
	}
	off()
	if err := t.copy(s, body); err != nil {
		s.abort()
		return err
	}
	if err := s.finish(); err != nil {
		return t.outputError(err)
	}
	return nil
}

// verdict returns what a failure before the first byte is: of the output, unless
// the upload is refused or broken off.
func (t *transfer) verdict(err error) error {
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, ErrName):
		return err
	case t.ctx.Err() != nil:
		return t.broken()
	}
	return t.outputError(err)
}

// copy gives the body to the sink.
func (t *transfer) copy(s sink, body io.Reader) error {
	reading, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer context.AfterFunc(t.sender, cancel)()
	defer interrupts(reading, body)()
	buf := make([]byte, readSize)
	for empty := 0; empty < mostEmpty; empty++ {
		if reading.Err() != nil {
			return t.broken()
		}
		n, err := body.Read(buf)
		end, err := t.judge(n, err)
		if err != nil {
			return err
		}
		if n > 0 {
			empty = 0
			if err := t.write(s, buf[:n], end); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
	return &BodyError{io.ErrNoProgress}
}

// mostEmpty is how many Reads without byte and error are borne, as bufio has it.
const mostEmpty = 100

// judge tells what a Read meant: the body's end, its breaking off, or neither.
func (t *transfer) judge(n int, err error) (end bool, _ error) {
	t.bytes += int64(n)
	end = err == io.EOF //nolint:errorlint // what wraps it is no clean end
	switch length := t.u.Length; {
	case length >= 0 && t.bytes > length:
		return false, &BodyError{errors.New("it is longer than announced")}
	case length >= 0 && t.bytes < length && end:
		return false, &BodyError{io.ErrUnexpectedEOF}
	case err == nil || end:
		return end, nil
	case t.ctx.Err() != nil || t.sender.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded):
		return false, t.broken() // the Read was interrupted
	}
	return false, &BodyError{err}
}

// write gives bytes to the sink. last says that no more will come.
func (t *transfer) write(s sink, p []byte, last bool) error {
	if !last {
		defer t.heed()()
	}
	n, err := s.Write(p)
	t.o.count(n)
	switch {
	case err == nil:
		return nil
	case t.ctx.Err() != nil:
		return t.broken()
	}
	return t.outputError(err)
}
