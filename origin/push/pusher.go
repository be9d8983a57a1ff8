package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// DefaultMaxHeld bounds the bytes that wait for one destination.
const DefaultMaxHeld = 256 << 20

// Options say how a Pusher behaves. The zero value is usable.
type Options struct {
	// Log gets what goes wrong. It defaults to slog.Default.
	Log *slog.Logger
	// MaxHeld bounds the bytes of files that wait for one destination or are on
	// their way to it; beyond it the oldest segments are skipped (256 MiB).
	MaxHeld int64
	// KeepFirst is for a store whose policy keeps the upload that began first:
	// a later upload of a name is sent only if the one before broke off.
	KeepFirst bool

	times times
}

// times are the spans that a Pusher goes by.
type times struct {
	backoff, backoffMost time.Duration // pauses between attempts
	giveUp, giveUpAll    time.Duration // after the first failure; with BlockIO
	staleAge             time.Duration // least age of a stale segment: a burst is none
	resendGap, logGap    time.Duration
	order                time.Duration // that a manifest waits for files before it
}

func defaultTimes() times {
	return times{
		backoff: 100 * time.Millisecond, backoffMost: 5 * time.Second,
		giveUp: time.Minute, giveUpAll: 10 * time.Minute,
		staleAge: time.Second, resendGap: 5 * time.Second, logGap: time.Minute,
		order: time.Second,
	}
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxHeld == 0 {
		o.MaxHeld = DefaultMaxHeld
	}
	if o.times == (times{}) {
		o.times = defaultTimes()
	}
}

// Pusher sends what a store gets to its destinations. It is a
// segstore.Observer; what it is told before Run begins is sent then. All its
// methods may be called from any goroutine.
type Pusher struct {
	// Static.
	opt    Options
	dests  []*dest
	ctx    context.Context // of all uploads
	cancel context.CancelCauseFunc
}

var _ segstore.Observer = (*Pusher)(nil)

// New returns a Pusher; Run must be called. The error says in one line what is
// wrong with which destination.
func New(dests []Destination, opt Options) (*Pusher, error) {
	if len(dests) == 0 {
		return nil, errors.New("push: no destination")
	}
	opt.setDefaults()
	p := &Pusher{opt: opt}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	for _, to := range dests {
		c, err := NewClient(to)
		if err != nil {
			p.cancel(nil)
			return nil, fmt.Errorf("push to %s: %w", redacted(to.URL), err)
		}
		p.dests = append(p.dests, newDest(p.ctx, c, &p.opt, p.cancel))
	}
	return p, nil
}

// Run sends until ctx is done; what is under way is broken off then, so call
// Drain before. It returns once nothing is left running: with nil, or with the
// error of a destination without KA.
func (p *Pusher) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { p.cancel(errStopped) })
	defer stop()
	for _, d := range p.dests {
		d.start()
	}
	<-p.ctx.Done()
	for _, d := range p.dests {
		d.stop()
	}
	if err := context.Cause(p.ctx); !errors.Is(err, errStopped) {
		return err
	}
	return nil
}

// Created sends the file on while it grows.
func (p *Pusher) Created(f *segstore.File) { p.created(f, false) }

// CreatedArchive is Created for a file that is old already, such as those that
// are found in a folder: it is never stale, and gives way to all others.
func (p *Pusher) CreatedArchive(f *segstore.File) { p.created(f, true) }

func (p *Pusher) created(f *segstore.File, archive bool) {
	for _, d := range p.dests {
		j := fileJob(p.ctx, f)
		j.archive = archive
		d.add(j)
	}
}

// Deleted sends a DELETE, after what is under way of the name.
func (p *Pusher) Deleted(name string) {
	for _, d := range p.dests {
		d.add(newJob(p.ctx, name))
	}
}

// SendFile sends a file that is in no store. It is read from disk, for each
// destination and attempt anew, and is never stale.
func (p *Pusher) SendFile(name, path string) {
	for _, d := range p.dests {
		j := newJob(p.ctx, name)
		j.src, j.archive = diskSource{path}, true
		d.add(j)
	}
}

// Stats returns the figures of each destination, in the order of New.
func (p *Pusher) Stats() []Stats {
	var all []Stats
	for _, d := range p.dests {
		all = append(all, d.figures())
	}
	return all
}

// Drain waits until everything is delivered or given up; growing files are
// waited for. The error says that ctx was done, or Run ended, before.
func (p *Pusher) Drain(ctx context.Context) error {
	for _, d := range p.dests {
		if err := d.await(ctx, d.idle); err != nil {
			return fmt.Errorf("drain the push to %s: %w", d.url, err)
		}
	}
	return nil
}

// Ready waits until less than a quarter of MaxHeld is unsent at each
// destination with BlockIO. Who feeds the source calls it before each file.
// Files told as archive are counted for the other destinations as well, but for
// one that is down.
func (p *Pusher) Ready(ctx context.Context) error {
	for _, d := range p.dests {
		if err := d.await(ctx, d.hasRoom); err != nil {
			return fmt.Errorf("wait for the push to %s: %w", d.url, err)
		}
	}
	return nil
}
