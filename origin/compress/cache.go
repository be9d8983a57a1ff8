package compress

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// atOnce is how many compressions run at a time.
const atOnce = 2

// entryCost is what an entry has on the books beside its bytes and its key.
const entryCost = 256

// Key is a version of a file.
type Key struct {
	Space string // whose names these are, where several have one Cache
	Name  string
	ETag  string // of the file itself
}

// Cache holds compressed files. Its methods may be called from any goroutine.
type Cache struct {
	most   int64       // static
	coders chan *coder // those that are free; who has one may compress

	mu      sync.Mutex // guards the rest
	calls   map[entryKey]*call
	entries map[entryKey]*list.Element // of *entry
	recent  list.List                  // the last used first
	used    int64
}

type entryKey struct {
	key    Key
	coding string
}

// entry is what is kept. It never changes.
type entry struct {
	key  entryKey
	data []byte // nil for a file that does not get smaller
}

func (e *entry) cost() int64 {
	k := &e.key
	return int64(len(e.data) + len(k.key.Space) + len(k.key.Name) + len(k.key.ETag) + entryCost)
}

// call is a compression under way.
type call struct {
	done chan struct{} // closed when the rest is valid
	data []byte
	err  error
}

// errGone is the error of a call whose caller went away before its turn: one of
// those that wait begins anew.
var errGone = errors.New("who was to compress has gone")

// New returns a Cache that keeps up to so many bytes; with 0 or less it keeps
// nothing.
func New(maxBytes int64) *Cache {
	c := &Cache{
		most:    maxBytes,
		coders:  make(chan *coder, atOnce),
		calls:   make(map[entryKey]*call),
		entries: make(map[entryKey]*list.Element),
	}
	for range atOnce {
		c.coders <- &coder{}
	}
	return c
}

// Used returns how many bytes are kept, with what it takes to keep them.
func (c *Cache) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// Get returns a version of a file under a coding. The bytes are shared: nobody
// writes to them. If they are not kept, one of those who ask calls its load for
// the file's bytes, which it may not keep, and compresses them; how large they
// are is load's to bound. Others wait for that.
//
// The error is ErrNotSmaller, which is kept as well, or wraps ErrCoding, the
// cause of ctx, or the error of load, which all get who have waited for it.
func (c *Cache) Get(ctx context.Context, key Key, coding string, load func() ([]byte, error)) ([]byte, error) {
	if !slices.Contains(preferred, coding) {
		return nil, fmt.Errorf("%w: %.20q", ErrCoding, coding)
	}
	k := entryKey{key, coding}
	for {
		e, call, mine := c.find(k)
		if e != nil {
			return e.result()
		}
		if mine {
			c.do(ctx, k, call, load)
			return call.data, call.err
		}
		select {
		case <-call.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s of %s: %w", coding, key.Name, context.Cause(ctx))
		}
		if !errors.Is(call.err, errGone) {
			return call.data, call.err
		}
	}
}

func (e *entry) result() ([]byte, error) {
	if e.data == nil {
		return nil, ErrNotSmaller
	}
	return e.data, nil
}

// find returns what is kept, or else the call that is to bring it; mine says
// that it is the caller's to do.
func (c *Cache) find(k entryKey) (e *entry, under *call, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if elem := c.entries[k]; elem != nil {
		c.recent.MoveToFront(elem)
		return elem.Value.(*entry), nil, false
	}
	if under = c.calls[k]; under == nil {
		under, mine = &call{done: make(chan struct{})}, true
		c.calls[k] = under
	}
	return nil, under, mine
}

// do brings the call to its end, even if load panics.
func (c *Cache) do(ctx context.Context, k entryKey, under *call, load func() ([]byte, error)) {
	under.err = errGone
	defer func() {
		c.end(k, under)
		close(under.done)
	}()
	var worker *coder
	select {
	case worker = <-c.coders:
	case <-ctx.Done():
		under.err = fmt.Errorf("compress %s: %w: %w", k.key.Name, errGone, context.Cause(ctx))
		return
	}
	defer func() { c.coders <- worker }()
	data, err := load()
	if err == nil {
		data, err = worker.compress(k.coding, data)
	} else if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	under.data, under.err = data, err
}

// end takes a call off and keeps what it brought.
func (c *Cache) end(k entryKey, under *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, k)
	if under.err != nil && !errors.Is(under.err, ErrNotSmaller) {
		return
	}
	e := &entry{key: k, data: under.data}
	if e.cost() > c.most {
		return
	}
	c.entries[k] = c.recent.PushFront(e)
	for c.used += e.cost(); c.used > c.most; {
		oldest := c.recent.Back()
		old := c.recent.Remove(oldest).(*entry)
		delete(c.entries, old.key)
		c.used -= old.cost()
	}
}
