package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// An Engine runs one script in a process of its own. Its methods may be called
// by many goroutines at a time.
type Engine struct {
	opt     Options
	load    loadMsg
	log     *slog.Logger
	printer *printer

	pending atomic.Int64  // requests that wait for send()
	lastID  atomic.Uint64 // of the last request

	life context.Context         // ends with Close
	end  context.CancelCauseFunc // ends life
	done chan struct{}           // closed when the process and all goroutines have ended

	mu    sync.Mutex    // guards cur and ready
	cur   *process      // nil while none can be asked
	ready chan struct{} // closed when cur is set
}

// New starts the process and loads the script at opt.Path into it. An error of
// the script is one line, with file and line.
func New(opt Options) (*Engine, error) {
	opt.setDefaults()
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	source, err := readSource(path)
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	e := &Engine{
		opt:   opt,
		load:  loadMsg{path: path, source: source, time: opt.Time, memory: opt.Memory, unwatched: opt.unwatched},
		log:   opt.Log.With("script", path),
		done:  make(chan struct{}),
		ready: make(chan struct{}),
	}
	e.life, e.end = context.WithCancelCause(context.Background())
	e.printer = newPrinter(opt.Print, e.log)
	p, err := e.start()
	if err != nil {
		e.end(ErrStopped)
		e.printer.close()
		return nil, err
	}
	go e.supervise(p)
	return e, nil
}

// Close ends the process: requests that wait fail with ErrStopped. It returns
// when nothing of the engine is left, or with an error when ctx ends first.
func (e *Engine) Close(ctx context.Context) error {
	e.end(ErrStopped)
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing the script engine: %w", context.Cause(ctx))
	}
}

// start starts a process, loads the script and lets requests ask it.
func (e *Engine) start() (*process, error) {
	p, err := startProcess(e)
	if err != nil {
		return nil, fmt.Errorf("script: starting its process: %w", err)
	}
	ctx, cancel := context.WithTimeout(e.life, e.opt.patience)
	defer cancel()
	c := p.open(0)
	defer p.forget(c)
	if _, err = p.ask(ctx, c, kindLoad, e.load.encode()); err != nil {
		p.kill(ErrStopped)
		<-p.dead
		if errors.Is(err, context.DeadlineExceeded) {
			err = &scriptError{is: ErrTime, text: "loading " + e.load.path}
		}
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cur = p
	close(e.ready)
	return p, nil
}

// lost is called by a process that ends, before its requests are told. One that
// has not been started whole was never the current one.
func (e *Engine) lost(p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cur == p {
		e.cur, e.ready = nil, make(chan struct{})
	}
}

// current waits for a process that can be asked.
func (e *Engine) current(ctx context.Context) (*process, error) {
	for {
		e.mu.Lock()
		p, ready := e.cur, e.ready
		e.mu.Unlock()
		switch {
		case e.life.Err() != nil:
			return nil, ErrStopped
		case p != nil:
			return p, nil
		}
		select {
		case <-ready:
		case <-e.life.Done():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// supervise keeps a process running until Close.
func (e *Engine) supervise(p *process) {
	defer close(e.done)
	defer e.printer.close()
	for pause := pauseFirst; p != nil; {
		started := time.Now()
		select {
		case <-e.life.Done():
			p.kill(ErrStopped)
			<-p.dead
			return
		case <-p.dead:
		}
		if time.Since(started) > goodLife {
			pause = pauseFirst
		}
		e.log.Error("the script's process has ended", "err", p.err, "requests", p.failed, "restart_in", pause)
		p, pause = e.restart(pause)
	}
}

// restart starts another process after a pause, and again after longer ones
// until one has loaded the script. It returns nil when the engine is closed.
func (e *Engine) restart(pause time.Duration) (p *process, next time.Duration) {
	for {
		select {
		case <-e.life.Done():
			return nil, pause
		case <-time.After(pause):
		}
		pause = min(2*pause, pauseMost)
		p, err := e.start()
		if err == nil {
			return p, pause
		}
		if e.life.Err() == nil {
			e.log.Error("the script's process does not start", "err", err, "restart_in", pause)
		}
	}
}
