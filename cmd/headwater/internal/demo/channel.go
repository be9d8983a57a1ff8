package demo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// channel is one run. A goroutine per track begins the segments as their time
// comes, each segment is a goroutine that lasts as long as its PUT, and another
// one per track puts the playlist after each segment.
type channel struct {
	// Not changed after newChannel.
	o        Options
	cuts     []*cut // video, audio
	progress *progress

	// resend is set when a request failed: what is sent once may be lost.
	resend atomic.Bool

	probes sync.WaitGroup
}

func newChannel(o Options, tracks []*track, now time.Time) *channel {
	c := &channel{o: o, progress: newProgress()}
	for _, t := range tracks {
		c.cuts = append(c.cuts, newCut(t, o, c.oldest(now)))
	}
	return c
}

// begin returns when segment n begins; audio may be up to a frame later.
func (c *channel) begin(n int64) time.Time {
	return Anchor.Add(time.Duration(n) * c.o.SegmentDuration)
}

// oldest returns the oldest segment announced when it is now.
func (c *channel) oldest(now time.Time) int64 {
	return int64(now.Sub(Anchor)/c.o.SegmentDuration) - window
}

// grace is how long after its last byte was due a request may still take.
func (c *channel) grace() time.Duration { return c.o.SegmentDuration + time.Second }

// run returns when ctx has ended and every goroutine of the channel with it.
func (c *channel) run(ctx context.Context) {
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.progress.report(c.o.Progress)
	}()
	c.putHeaders(ctx)
	var wg sync.WaitGroup
	for _, u := range c.cuts {
		wg.Go(func() { c.runTrack(ctx, u) })
	}
	wg.Wait()
	c.probes.Wait()
	c.progress.end()
	<-reported
}

// outcome is how the PUT of segment n ended.
type outcome struct {
	n   int64
	err error
}

// runTrack begins one segment after the other. One that is over already is
// sent whole before the next is begun. If time has run away, as when the
// machine slept, what is no longer announced is left out.
func (c *channel) runTrack(ctx context.Context, u *cut) {
	outcomes := make(chan outcome)
	published := make(chan struct{})
	go func() {
		defer close(published)
		c.publish(ctx, u, outcomes)
	}()
	var wg sync.WaitGroup
	for n := c.oldest(time.Now()); sleepUntil(ctx, c.begin(n)) == nil; n = max(n+1, c.oldest(time.Now())) {
		ended := make(chan struct{})
		wg.Go(func() {
			err := c.putSegment(ctx, u, n)
			close(ended)
			outcomes <- outcome{n, err}
		})
		if !c.begin(n + 1).After(time.Now()) {
			<-ended
		}
	}
	wg.Wait()
	close(outcomes)
	<-published
}

// publish puts the playlist of a track each time a segment is complete. With
// the video segments it also sends again what may have been lost.
func (c *channel) publish(ctx context.Context, u *cut, outcomes <-chan outcome) {
	var s segments
	for o := range outcomes {
		if u.width > 0 && c.resend.Load() {
			c.putHeaders(ctx)
		}
		if o.err != nil {
			continue
		}
		s = s.add(o.n)
		playlist, err := makePlaylist(u, s)
		if err == nil {
			err = c.put(ctx, u.playlistName(), "application/vnd.apple.mpegurl", playlist)
		}
		c.fail(ctx, err)
	}
}

// putHeaders sends what is sent once: the init segments, then the manifests
// that name them.
func (c *channel) putHeaders(ctx context.Context) {
	c.resend.Store(false)
	for _, u := range c.cuts {
		c.fail(ctx, c.put(ctx, u.initName(), u.mime, u.init))
	}
	manifest, err := makeMPD(c.o, c.cuts, time.Now())
	if err == nil {
		err = c.put(ctx, MPDName, "application/dash+xml", manifest)
	}
	c.fail(ctx, err)
	manifest, err = makeMaster(c.cuts[0], c.cuts[1])
	if err == nil {
		err = c.put(ctx, MasterName, "application/vnd.apple.mpegurl", manifest)
	}
	c.fail(ctx, err)
}

// fail counts err, unless it is nil or only says that the channel has ended.
func (c *channel) fail(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	c.resend.Store(true)
	c.progress.update(func(p *Progress) {
		p.Errors++
		p.LastError = err
	})
}

// sleepUntil waits for a point of the wall clock. It looks at the clock again
// after each sleep, since that may have been set meanwhile.
func sleepUntil(ctx context.Context, t time.Time) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := time.Until(t)
		if d <= 0 {
			return nil
		}
		timer := time.NewTimer(min(d, time.Minute))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
