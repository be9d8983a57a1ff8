package origin

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"github.com/headwater-origin/headwater/segstore"
)

// crowds keep the viewers of growing files who have all there is and wait for
// more. They have no goroutine each: a few workers per file, a crowd each,
// write every new chunk straight to the non-blocking sockets. A viewer whose
// socket is full goes back to a goroutine of its own until it has caught up.
//
// A wake and a system call through the scheduler for each viewer and chunk
// cost as much again as the bytes themselves.
type crowds struct {
	base   context.Context // done when the server stops at once
	shards int

	mu     sync.Mutex // guards the rest, and joining of every crowd
	byFile map[*segstore.File][]*crowd
	turn   int
}

func newCrowds(base context.Context) *crowds {
	return &crowds{base: base, shards: runtime.GOMAXPROCS(0), byFile: make(map[*segstore.File][]*crowd)}
}

// join hands a viewer over to a crowd of its file.
func (cs *crowds) join(v *socketViewer) {
	v.follower.deadline.clear()
	c, fresh := cs.enter(v)
	if fresh {
		go c.run()
		return
	}
	select {
	case c.wake <- struct{}{}:
	default: // it will look in any case
	}
}

// enter puts the viewer on the list of those who join.
func (cs *crowds) enter(v *socketViewer) (c *crowd, fresh bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	file := v.follower.body.reader.File()
	group := cs.byFile[file]
	if group == nil {
		group = make([]*crowd, cs.shards)
		cs.byFile[file] = group
	}
	cs.turn = (cs.turn + 1) % cs.shards
	c = group[cs.turn]
	if c == nil {
		c, fresh = newCrowd(cs, file), true
		group[cs.turn] = c
	}
	c.joining = append(c.joining, v)
	return c, fresh
}

// newcomers takes those who joined c. When there are none and nobody is left,
// c is over, and ended is true: who joins now gets another crowd.
func (cs *crowds) newcomers(c *crowd) (joined []*socketViewer, ended bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	joined, c.joining = c.joining, nil
	if len(joined) > 0 || len(c.viewers) > 0 {
		return joined, false
	}
	left := 0
	group := cs.byFile[c.file]
	for i := range group {
		if group[i] == c {
			group[i] = nil
		}
		if group[i] != nil {
			left++
		}
	}
	if left == 0 {
		delete(cs.byFile, c.file)
	}
	return nil, true
}

// crowd is some of the viewers who wait for more of one file.
type crowd struct {
	all  *crowds
	file *segstore.File
	wake chan struct{} // somebody joined

	joining []*socketViewer // guarded by all.mu

	// Owned by run.
	viewers []*socketViewer // each has all up to sent
	done    []*socketViewer // have all of the file
	sent    int64
	frame   frame
	out     socketOut
}

func newCrowd(all *crowds, file *segstore.File) *crowd {
	c := &crowd{all: all, file: file, wake: make(chan struct{}, 1)}
	c.out.try = c.out.write
	return c
}

// run serves the crowd until nobody is left.
func (c *crowd) run() {
	for {
		joined, ended := c.all.newcomers(c)
		if ended {
			return
		}
		v := c.file.View()
		c.serve(v, joined)
		if v.State() != segstore.Growing {
			continue // all were served to the end; only newcomers may be left
		}
		select {
		case <-v.Changed():
		case <-c.wake:
		case <-c.all.base.Done():
			c.dismiss(context.Cause(c.all.base))
		}
	}
}

// serve writes what the view has to everybody.
func (c *crowd) serve(v segstore.View, joined []*socketViewer) {
	final := v.State() == segstore.Complete
	if len(c.viewers) > 0 && (v.Size() > c.sent || final) {
		c.frame.set(v, c.sent, final)
		stay := c.viewers[:0]
		for _, w := range c.viewers {
			if c.send(w, final) {
				stay = append(stay, w)
			}
		}
		clear(c.viewers[len(stay):])
		c.viewers = stay
	}
	c.sent = v.Size()
	for _, w := range joined {
		if at := w.follower.body.reader.Offset(); at < v.Size() || final {
			c.frame.set(v, at, final)
			if !c.send(w, final) {
				continue
			}
		}
		c.viewers = append(c.viewers, w)
	}
	if v.State() == segstore.Failed {
		c.dismiss(v.Err())
	}
	c.release()
}

// release hands back the connections of who has all, once nobody waits for
// their last chunk.
func (c *crowd) release() {
	for _, w := range c.done {
		w.end(nil)
	}
	c.done = nil
}

// send writes the frame to one viewer, and tells whether it stays.
func (c *crowd) send(w *socketViewer, final bool) (stays bool) {
	buf := c.frame.bytesFor(w.batch.chunked)
	n, err := c.out.send(w, buf)
	if err != nil {
		go w.end(err) // closing may take its time
		return false
	}
	w.follower.body.reader.Skip(c.frame.n)
	w.follower.sent.add(c.frame.n)
	switch {
	case n < len(buf):
		w.unsent = append([]byte(nil), buf[n:]...)
		w.final = final
		go w.run()
		return false
	case final:
		c.done = append(c.done, w)
		return false
	}
	return true
}

// dismiss ends everybody.
func (c *crowd) dismiss(reason error) {
	for _, w := range c.viewers {
		w.end(reason)
	}
	c.viewers = nil
}

// frame is a chunk as it goes over the wire, made once for all viewers.
type frame struct {
	buf        []byte
	from, to   int // where the file's own bytes lie in buf
	n          int64
	sliceSpace [][]byte
}

// set makes the frame of the bytes from the offset to the end of the view.
func (f *frame) set(v segstore.View, from int64, final bool) {
	f.n = v.Size() - from
	f.buf = f.buf[:0]
	f.from, f.to = 0, 0
	if f.n > 0 {
		f.buf = append(strconv.AppendInt(f.buf, f.n, 16), crlf...)
		f.from = len(f.buf)
		f.sliceSpace = v.AppendSlices(f.sliceSpace[:0], from, v.Size())
		for _, s := range f.sliceSpace {
			f.buf = append(f.buf, s...)
		}
		f.to = len(f.buf)
		f.buf = append(f.buf, crlf...)
	}
	if final {
		f.buf = append(f.buf, lastChunk...)
	}
}

// bytesFor returns the frame, or just the file's bytes for a reply that has no
// chunks.
func (f *frame) bytesFor(chunked bool) []byte {
	if chunked {
		return f.buf
	}
	return f.buf[f.from:f.to]
}

// socketOut writes to sockets without ever waiting for one. It has its
// arguments and results in fields, so that a write allocates nothing.
type socketOut struct {
	try func(fd uintptr) bool
	buf []byte
	n   int
	err error
}

func (o *socketOut) send(w *socketViewer, buf []byte) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	o.buf = buf
	if err := w.raw.Write(o.try); err != nil {
		return 0, err
	}
	if o.err != nil {
		return 0, o.err
	}
	return o.n, nil
}

// write is one attempt; it is done whatever comes of it.
func (o *socketOut) write(fd uintptr) (done bool) {
	for {
		o.n, o.err = writeSocket(fd, o.buf)
		switch {
		case errors.Is(o.err, syscall.EINTR):
			continue
		case errors.Is(o.err, syscall.EAGAIN):
			o.n, o.err = 0, nil
		}
		return true
	}
}
