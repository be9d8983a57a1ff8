package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Pauses before an input is opened anew; they double from the first to the last
// while it gives nothing.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Run takes the input until it is over for good or ctx is done. It returns nil
// after a good end, else what went wrong, or ctx's cause. It is legal once.
func (r *Relay) Run(ctx context.Context) error {
	if r.input == nil {
		<-ctx.Done()
		r.finish(ErrStopped)
		return context.Cause(ctx)
	}
	err := r.run(ctx)
	if c, ok := r.input.(io.Closer); ok {
		c.Close()
	}
	switch {
	case ctx.Err() != nil:
		r.finish(ErrStopped)
		return context.Cause(ctx)
	case err != nil:
		err = fmt.Errorf("relay of %s: %w", r.input.Traits().Name, err)
	}
	r.finish(err)
	return err
}

// run returns when the input is over.
func (r *Relay) run(ctx context.Context) error {
	if r.opt.Hold {
		if err := r.awaitListener(ctx, 0); err != nil {
			return err
		}
	}
	traits, pause := r.input.Traits(), firstPause
	for {
		before := r.bytesIn.Load()
		err := r.once(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.bytesIn.Load() > before {
			pause = firstPause
		}
		r.report(traits, err)
		switch r.then(traits, err) {
		case goOver:
			return err
		case goAwait:
			if err := r.awaitListener(ctx, r.row.end(err, false)); err != nil {
				return err
			}
		case goOn:
			if err == nil && r.opt.Loop && !r.pacer.began { // it would be read over and over for nobody
				if err := r.awaitAnybody(ctx); err != nil {
					return err
				}
			}
			if err == nil && (traits.Waits || r.opt.Loop && r.bytesIn.Load() > before) {
				continue
			}
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			pause = min(2*pause, lastPause)
		}
	}
}

// once opens the input and takes all that it gives.
func (r *Relay) once(ctx context.Context) error {
	in, err := r.input.Open(ctx)
	if err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	defer in.Close()
	defer context.AfterFunc(ctx, func() { in.Close() })() // ends a Read under way
	traits := r.input.Traits()
	r.opt.Log.Info("relay input is open", "input", traits.Name)
	return r.pump(ctx, in, source{
		name: traits.Name, paced: traits.Paced || r.opt.Pace, followed: r.then(traits, nil) == goOn,
	})
}

// step is what follows an end of the input.
type step uint8

const (
	goOver  step = iota // nothing
	goOn                // open it anew
	goAwait             // end the listeners there are; open it for the next one
)

func (r *Relay) then(t Traits, err error) step {
	switch {
	case err != nil && t.Retry, err == nil && t.Again == Endlessly:
		return goOn
	case err == nil && t.Again == OnJoin && r.opt.Loop:
		return goOn
	case t.Again == OnJoin && r.opt.Reopen:
		return goAwait
	case err == nil && t.Again == OnReopen && r.opt.Reopen:
		return goOn
	}
	return goOver
}

func (r *Relay) report(t Traits, err error) {
	if err != nil {
		r.opt.Log.Warn("relay input failed", "input", t.Name, "err", err)
		return
	}
	r.opt.Log.Info("relay input ended", "input", t.Name)
}

// Feed takes an upload for the input until r ends, which is nil if it ends with
// io.EOF; then the relay waits for the next. It reads in the caller's goroutine:
// to end it before r ends, make r's Read fail. Only a relay without an input of
// its own is fed (else ErrNotFed), by one upload at a time (else ErrBusy), until
// it is over (ErrOver).
func (r *Relay) Feed(ctx context.Context, in io.Reader, contentType string) error {
	if r.input != nil {
		return ErrNotFed
	}
	if r.life.Err() != nil {
		return ErrOver
	}
	if !r.feeding.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer r.feeding.Store(false)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.life, func() { cancel(ErrOver) })()
	if r.opt.Hold {
		if err := r.awaitListener(ctx, 0); err != nil {
			return err
		}
	}
	err := r.pump(ctx, in, source{contentType: contentType, paced: r.opt.Pace, followed: true})
	if errors.Is(err, ErrStopped) {
		return ErrOver
	}
	return err
}

// sleep waits for d or ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
