package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// A process is one life of the child, seen from the parent.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // frames to the child
	out    *os.File // frames from it
	errOut *os.File // what it says last
	eng    *Engine

	slots chan struct{} // one for each question in queue, so that it stays short
	heard atomic.Int64  // when the last frame came, in nanoseconds of clock
	clock time.Time
	last  []byte // the beginning of what came on errOut, until dead

	dead   chan struct{} // closed when the child and what reads from it have ended
	err    error         // why; set before dead is closed
	failed int           // requests that fail with it; likewise

	mu    sync.Mutex // guards queue, calls and cause
	queue []frame    // to be written
	wake  chan struct{}
	calls map[uint64]*call
	cause error // why it is ended, if it is ended from here
}

// A call is a request's part in the process.
type call struct {
	id     uint64
	turn   chan struct{} // held while a question is under way
	answer chan frame    // takes the answer to the last question
	seq    uint32        // of the last question; guarded by the process's mu
}

const (
	askedAtMost = 64 // questions that may wait to be written
	lastWords   = 4 << 10
)

// startProcess starts a child that waits for its script.
func startProcess(e *Engine) (*process, error) {
	p := &process{
		eng: e, clock: time.Now(), dead: make(chan struct{}), wake: make(chan struct{}, 1),
		slots: make(chan struct{}, askedAtMost), calls: make(map[uint64]*call),
	}
	started := make(chan error)
	exited := make(chan error, 1)
	go p.run(started, exited)
	if err := <-started; err != nil {
		return nil, err
	}
	go p.live(exited)
	return p, nil
}

// live ends when everything of the process has.
func (p *process) live(exited <-chan error) {
	var readers, others sync.WaitGroup
	readers.Go(p.read)
	readers.Go(func() { p.last, _ = io.ReadAll(io.LimitReader(p.errOut, lastWords)); io.Copy(io.Discard, p.errOut) }) //nolint:errcheck // its end is what counts
	gone := make(chan struct{})
	others.Go(func() { p.write(gone) })
	others.Go(func() { p.ping(gone) })
	err := <-exited
	readers.Wait()
	close(gone)
	p.in.Close() //nolint:errcheck // there is no one to read it
	others.Wait()
	p.out.Close()    //nolint:errcheck // it was only read
	p.errOut.Close() //nolint:errcheck // likewise
	p.eng.lost(p)
	p.mu.Lock()
	p.err = p.reason(err)
	p.failed = len(p.calls)
	p.mu.Unlock()
	close(p.dead)
}

// kill ends the child; cause is what its requests are told.
func (p *process) kill(cause error) {
	p.mu.Lock()
	if p.cause == nil {
		p.cause = cause
	}
	p.mu.Unlock()
	p.cmd.Process.Kill() //nolint:errcheck // it can have ended already
}

// read takes the child's frames until there are no more.
func (p *process) read() {
	r := bufio.NewReaderSize(p.out, maxBuffer)
	for {
		f, err := readFrame(r)
		if err == nil {
			err = p.take(f)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, errWire) {
			p.kill(fmt.Errorf("from the script's process: %w", err))
		}
		return
	}
}

// take hands on one frame.
func (p *process) take(f frame) error {
	p.heard.Store(int64(time.Since(p.clock)))
	switch f.kind {
	case kindPong:
	case kindBye:
		p.eng.lost(p)
	case kindPrint:
		m, err := decodePrint(f.body)
		if err != nil {
			return err
		}
		p.eng.printer.print(m)
	case kindLog:
		m, err := decodeFail(f.body)
		if err != nil {
			return err
		}
		p.eng.log.Error("script", "err", m.err())
	default:
		p.mu.Lock()
		defer p.mu.Unlock()
		if c := p.calls[f.id]; c != nil && c.seq == f.seq {
			select {
			case c.answer <- f:
			default:
			}
		}
	}
	return nil
}

// write writes what is queued until the process is gone.
func (p *process) write(gone <-chan struct{}) {
	w := bufio.NewWriterSize(p.in, maxBuffer)
	for {
		select {
		case <-p.wake:
		case <-gone:
			return
		}
		p.mu.Lock()
		list := p.queue
		p.queue = nil
		p.mu.Unlock()
		for _, f := range list {
			if err := f.writeTo(w); err != nil {
				<-gone // the child has ended
				return
			}
			if f.kind.isQuestion() {
				<-p.slots
			}
		}
		if err := w.Flush(); err != nil {
			<-gone
			return
		}
	}
}

func (k kind) isQuestion() bool { return k != kindDone && k != kindPing }

// push queues a frame. Of one that is a question the caller holds a slot.
func (p *process) push(f frame) {
	p.mu.Lock()
	p.queue = append(p.queue, f)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// ping asks the child for a sign of life, and kills one that gives none.
func (p *process) ping(gone <-chan struct{}) {
	tick := time.NewTicker(min(time.Second, p.eng.opt.patience/4))
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		if silent := time.Since(p.clock) - time.Duration(p.heard.Load()); silent > p.eng.opt.patience {
			text := fmt.Sprintf("its process was silent for %v", silent.Round(time.Millisecond))
			p.kill(&scriptError{is: ErrTime, text: text, told: true})
		}
		p.push(frame{kind: kindPing})
	}
}

// open makes the part of request id.
func (p *process) open(id uint64) *call {
	c := &call{id: id, turn: make(chan struct{}, 1), answer: make(chan frame, 1)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[id] = c
	return c
}

// forget is the end of c.
func (p *process) forget(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c.id)
}

// ask asks the child about c and waits for the answer, an error of the script
// among the errors. Only one question of c is under way at a time.
func (p *process) ask(ctx context.Context, c *call, k kind, body []byte) (frame, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return frame{}, context.Cause(ctx)
	case <-p.dead:
		return frame{}, p.err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return frame{}, context.Cause(ctx)
	case <-p.dead:
		return frame{}, p.err
	}
	p.mu.Lock()
	c.seq++
	select {
	case <-c.answer: // to a question that was given up
	default:
	}
	seq := c.seq
	p.mu.Unlock()
	p.push(frame{kind: k, id: c.id, seq: seq, body: body})
	select {
	case f := <-c.answer:
		return unwrap(f)
	case <-ctx.Done():
		return frame{}, context.Cause(ctx)
	case <-p.dead:
	}
	select {
	case f := <-c.answer: // its last
		return unwrap(f)
	default:
		return frame{}, p.err
	}
}

// unwrap makes an error of an answer that is one.
func unwrap(f frame) (frame, error) {
	if f.kind != kindFail {
		return f, nil
	}
	m, err := decodeFail(f.body)
	if err == nil {
		err = m.err()
	}
	return frame{}, err
}
