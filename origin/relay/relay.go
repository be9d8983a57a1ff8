package relay

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/headwater-origin/headwater/origin/framing"
)

// Relay gives one input to its listeners. Make one with New, and let it Run.
type Relay struct {
	// Static after New.
	opt   Options
	input Input // nil: uploads, see Feed
	row   *row
	life  context.Context // done once the input is over, see Done
	kill  context.CancelCauseFunc
	// What the tests replace.
	detect func(name, contentType string, first []byte) framing.Format
	framer func(framing.Format) framing.Framer

	// Counters and what is known; any goroutine.
	bytesIn, bytesOut, cuts atomic.Int64
	known                   chan struct{} // closed once info is of the input
	knows                   sync.Once
	info                    atomic.Pointer[Info]
	title                   atomic.Pointer[string]

	mu        sync.Mutex // guards what follows
	listeners map[*Listener]struct{}

	present  atomic.Int64  // len(listeners)
	lastJoin atomic.Int64  // number of the entry where the newest listener began; -1: none
	joined   chan struct{} // has one token after a Join

	blocked  atomic.Bool   // a publisher waits for listeners
	progress chan struct{} // has one token after one of them moved

	feeding atomic.Bool // somebody owns what follows

	// Owned by who publishes: Run, or the Feed under way.
	conn   int64 // number of the input's connection, from 1
	lowest int64 // no listener was further back when last looked at
	looked int64 // what was published when slow listeners were last looked for
	pacer  pacer
}

// New returns a Relay of the input; nil is fed by Feed alone.
func New(opt Options, input Input) *Relay {
	opt.setDefaults()
	r := &Relay{
		opt: opt, input: input, row: newRow(opt.MaxAsyncBuf),
		detect: framing.Detect, framer: framing.New,
		listeners: map[*Listener]struct{}{},
		joined:    make(chan struct{}, 1), progress: make(chan struct{}, 1), known: make(chan struct{}),
	}
	r.life, r.kill = context.WithCancelCause(context.Background())
	r.lastJoin.Store(-1)
	r.info.Store(&Info{ContentType: opt.ContentType, BitRate: int(opt.Rate)})
	r.SetTitle(opt.Title)
	if c, ok := input.(*Command); ok && c.Log == nil {
		c.Log = opt.Log
	}
	return r
}

// Join adds a listener, which begins at the newest clean frame still held, else
// at the next. It returns ErrOver once the input is over. The caller closes the
// Listener.
func (r *Relay) Join(ctx context.Context) (*Listener, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l := &Listener{relay: r, gone: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.row.now.Load()
	if v.over {
		return nil, ErrOver
	}
	l.pos.Store(v.join())
	l.credit.Store(v.size - v.offset(v.join()))
	r.listeners[l] = struct{}{}
	r.present.Store(int64(len(r.listeners)))
	r.lastJoin.Store(v.join())
	select {
	case r.joined <- struct{}{}:
	default:
	}
	return l, nil
}

// drop forgets a listener.
func (r *Relay) drop(l *Listener, slow bool) {
	r.mu.Lock()
	delete(r.listeners, l)
	r.present.Store(int64(len(r.listeners)))
	r.mu.Unlock()
	if slow {
		r.cuts.Add(1)
	}
	r.progressed()
}

// everyone returns the listeners there are.
func (r *Relay) everyone() []*Listener {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Listener, 0, len(r.listeners))
	for l := range r.listeners {
		all = append(all, l)
	}
	return all
}

// awaitListener returns once a listener has joined at the numbered entry or
// behind it.
func (r *Relay) awaitListener(ctx context.Context, number int64) error {
	for r.lastJoin.Load() < number {
		select {
		case <-r.joined:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// awaitAnybody returns once there is a listener.
func (r *Relay) awaitAnybody(ctx context.Context) error {
	for r.present.Load() == 0 {
		select {
		case <-r.joined:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// cutSlow cuts who lies too far behind, whether it comes for more or not. It
// looks once in as many bytes as a listener may lie behind: looking at all of
// them takes the longer the more they are.
func (r *Relay) cutSlow() {
	v := r.row.now.Load()
	if v.size-r.looked < v.allowed {
		return
	}
	r.looked = v.size
	for _, l := range r.everyone() {
		if l.tooSlow(v) {
			l.quit(true)
		}
	}
}

// received counts what the input has given.
func (r *Relay) received(n int) {
	r.bytesIn.Add(int64(n))
	if r.opt.Received != nil && r.input != nil {
		r.opt.Received(n)
	}
}

// learned notes that there is something to know of the input.
func (r *Relay) learned() { r.knows.Do(func() { close(r.known) }) }

// AwaitInfo returns once Info is that of the input, or the input is over, or ctx
// is done.
func (r *Relay) AwaitInfo(ctx context.Context) {
	select {
	case <-r.known:
	case <-r.life.Done():
	case <-ctx.Done():
	}
}

// finish ends the row for good: with io.EOF for listeners when err is nil.
func (r *Relay) finish(err error) {
	r.row.end(err, true)
	r.kill(ErrOver)
}

// Done returns a channel that is closed once the input is over for good.
// Listeners may still be reading what was published.
func (r *Relay) Done() <-chan struct{} { return r.life.Done() }

// Listeners returns how many listeners there are.
func (r *Relay) Listeners() int { return int(r.present.Load()) }

// BytesIn returns how many bytes the input has given.
func (r *Relay) BytesIn() int64 { return r.bytesIn.Load() }

// BytesOut returns how many bytes listeners have taken. Of each that is there it
// may lack the newest 64 KiB.
func (r *Relay) BytesOut() int64 { return r.bytesOut.Load() }

// Cut returns how many listeners were cut for being slow.
func (r *Relay) Cut() int64 { return r.cuts.Load() }

// Info returns what is known of the input so far.
func (r *Relay) Info() Info { return *r.info.Load() }
