package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errLagged is why a request is broken off whose destination is so far behind
// that the bytes it needs next are gone.
var errLagged = errors.New("the server is too far behind the stream")

// errUnwanted is why the reading of a stream ends before the stream does.
var errUnwanted = errors.New("no server takes it any more")

// SendReader sends one file that may be without end, such as standard input,
// and returns once all of it is read. A sixteenth of MaxHeld is kept of it.
// While its beginning is there, a failed attempt begins anew; later it goes on
// at the live edge in a new request, which is counted as a gap. A destination
// with BlockIO holds up the reading instead of losing bytes. Once every
// destination has refused it the reading ends with an error. A Read that blocks
// holds up the return, even when ctx is done.
func (p *Pusher) SendReader(ctx context.Context, name, contentType string, r io.Reader) error {
	s := &stream{limit: max(p.opt.MaxHeld/16, pieceSize), changed: make(chan struct{})}
	for _, d := range p.dests {
		c := &cursor{s: s, block: d.to.BlockIO, onGap: d.countGap}
		s.cursors = append(s.cursors, c)
		j := newJob(p.ctx, name)
		j.src, j.contentType = c, contentType
		d.add(j)
	}
	buf := make([]byte, pieceSize)
	for {
		n, err := r.Read(buf)
		if werr := s.write(ctx, buf[:n]); werr != nil {
			s.end(werr)
			return fmt.Errorf("sending %s: %w", name, werr)
		}
		if errors.Is(err, io.EOF) {
			s.end(io.EOF)
			return nil
		}
		if err != nil {
			s.end(brokenError{err.Error()})
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
}

func (d *dest) countGap() {
	d.mu.Lock()
	d.stats.Gaps++
	d.mu.Unlock()
}

// stream is the newest part of a file that is read once.
type stream struct {
	limit   int64     // static
	cursors []*cursor // static once the first byte is written

	mu      sync.Mutex // guards the rest, and the cursors
	blocks  []block
	base    int64 // of the first byte that is kept
	top     int64 // behind the last
	err     error // io.EOF after the last byte, or why there are no more
	changed chan struct{}
}

// block is a piece of a stream. Bytes that are in it never change.
type block struct {
	off int64
	b   []byte
}

func (s *stream) write(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		s.mu.Lock()
		if s.unwanted() {
			s.mu.Unlock()
			return errUnwanted
		}
		wait := s.makeRoom()
		if wait == nil {
			n := s.fill(p)
			p = p[n:]
			s.wake()
		}
		s.mu.Unlock()
		if wait == nil {
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// unwanted says that there is nobody left to send it to. s.mu is held.
func (s *stream) unwanted() bool {
	for _, c := range s.cursors {
		if !c.over {
			return false
		}
	}
	return true
}

// wake wakes who waits for a change. s.mu is held.
func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// fill appends what fits into the last block. s.mu is held.
func (s *stream) fill(p []byte) int {
	if n := len(s.blocks); n == 0 || len(s.blocks[n-1].b) == cap(s.blocks[n-1].b) {
		s.blocks = append(s.blocks, block{off: s.top, b: make([]byte, 0, pieceSize)})
	}
	last := &s.blocks[len(s.blocks)-1]
	n := min(len(p), cap(last.b)-len(last.b))
	last.b = append(last.b, p[:n]...)
	s.top += int64(n)
	return n
}

// makeRoom drops what is beyond the limit. It returns a channel to wait on when
// somebody still needs that. s.mu is held.
func (s *stream) makeRoom() <-chan struct{} {
	for s.top-s.base >= s.limit && len(s.blocks) > 1 {
		next := s.blocks[1].off
		for _, c := range s.cursors {
			if c.block && !c.over && c.at < next {
				return s.changed
			}
		}
		s.blocks = append([]block(nil), s.blocks[1:]...)
		s.base = next
	}
	return nil
}

func (s *stream) end(err error) {
	s.mu.Lock()
	s.err = err
	s.wake()
	s.mu.Unlock()
}

// after returns what is kept from the offset on, or why there is nothing, or a
// channel to wait on.
func (s *stream) after(c *cursor, off int64) ([]byte, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.at = off; c.block {
		s.wake() // who writes may wait for this
	}
	switch {
	case off < s.base:
		return nil, nil, errLagged
	case off == s.top && s.err != nil:
		return nil, nil, s.err
	case off == s.top:
		return nil, s.changed, nil
	}
	for i := len(s.blocks) - 1; ; i-- {
		if b := s.blocks[i]; b.off <= off {
			return b.b[off-b.off : len(b.b) : len(b.b)], nil, nil
		}
	}
}

// cursor is the stream as the source of one destination. What is not static
// is guarded by the stream's mu.
type cursor struct {
	s     *stream // static
	block bool    // static: the stream waits for this one
	onGap func()  // static
	at    int64   // how far it has come
	over  bool
}

func (c *cursor) ready(context.Context) error { return nil }

func (c *cursor) ended(by func(error) bool) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return by(c.s.err)
}

func (c *cursor) grows() bool { return c.ended(func(err error) bool { return err == nil }) }
func (c *cursor) whole() bool {
	return c.ended(func(err error) bool { return errors.Is(err, io.EOF) })
}

func (c *cursor) failed() bool {
	return c.ended(func(err error) bool { return err != nil && !errors.Is(err, io.EOF) })
}

func (c *cursor) held() int64 {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.top - c.s.base
}

func (c *cursor) done() {
	c.s.mu.Lock()
	c.over = true
	c.s.wake()
	c.s.mu.Unlock()
}

// open begins at the first byte, or where that is gone at the live edge; one
// that the stream waits for goes on where it was.
func (c *cursor) open() (opened, error) {
	c.s.mu.Lock()
	off, gap := int64(0), c.s.base > 0
	switch {
	case gap && c.block:
		off = max(c.at, c.s.base)
	case gap:
		off = c.s.top
	}
	c.at = off
	c.s.mu.Unlock()
	if gap {
		c.onGap()
	}
	return &streamOpened{c: c, off: off}, nil
}

type streamOpened struct {
	c   *cursor
	off int64
}

func (o *streamOpened) length() int64 { return -1 }
func (o *streamOpened) close()        {}

func (o *streamOpened) next(ctx context.Context) ([]byte, error) {
	for {
		p, changed, err := o.c.s.after(o.c, o.off)
		if err != nil || p != nil {
			o.off += int64(len(p))
			return p, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
