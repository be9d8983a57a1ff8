package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// earlyError is a command that ended before the upload did.
type earlyError struct{ err error } // nil: with status 0

func (e earlyError) Error() string {
	if e.err == nil {
		return "the command ended before the upload did"
	}
	return fmt.Sprintf("the command ended before the upload did: %v", e.err)
}

func (e earlyError) Unwrap() error { return e.err }

// processSink is the standard input of a command.
type processSink struct {
	t     *transfer
	p     *process
	to    timed
	lax   bool          // writes cannot be interrupted, but by killing the command
	whole atomic.Bool   // the command may end
	told  chan struct{} // closed once no more is watched for
}

func newProcessSink(t *transfer, p *process) *processSink {
	s := &processSink{t: t, p: p, told: make(chan struct{})}
	s.to = timed{ctx: t.ctx, to: p.in, max: t.o.opt.patience()}
	s.lax = errors.Is(p.in.SetWriteDeadline(time.Time{}), os.ErrNoDeadline)
	go s.watch()
	return s
}

// watch ends the transfer when the command ends before the upload.
func (s *processSink) watch() {
	defer close(s.told)
	if s.lax {
		defer context.AfterFunc(s.t.ctx, func() { s.p.signal(killGroup) })()
	}
	<-s.p.gone
	if !s.whole.Load() {
		s.t.fail(earlyError{s.p.err})
	}
}

func (s *processSink) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	if !errors.Is(err, syscall.EPIPE) {
		return n, err
	}
	// Its end tells more than that it does not read.
	if waitFor(s.p.gone, s.t.o.opt.times.grace, s.t.o.hard.Done()) {
		return n, earlyError{s.p.err}
	}
	return n, errDeaf
}

// finish closes the command's input and waits for its end.
func (s *processSink) finish() error {
	s.whole.Store(true)
	if err := s.p.in.Close(); err != nil {
		s.p.log.Debug("closing the command's input", "err", err)
	}
	bound := s.t.o.opt.times.end
	if s.t.o.opt.BlockIO {
		bound = 0
	}
	ended := waitFor(s.p.gone, bound, s.t.o.stop.Done())
	s.abort()
	switch {
	case ended && s.p.err == nil:
		return nil
	case ended:
		return fmt.Errorf("the command failed: %w", s.p.err)
	case s.t.o.stop.Err() != nil:
		return fmt.Errorf("the command was still running: %w", ErrClosed)
	}
	return fmt.Errorf("the command was still running %v after the end of the upload", bound)
}

func (s *processSink) abort() {
	s.p.end(s.t.o.opt.times, s.t.o.hard.Done())
	waitFor(s.told, s.t.o.opt.times.gone, nil)
}
