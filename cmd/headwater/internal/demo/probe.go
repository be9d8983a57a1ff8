package demo

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// retryAfter is how long the probe waits before it asks again for a segment
// the origin does not know yet.
const retryAfter = 50 * time.Millisecond

// probe is a viewer of one segment. It measures how long each chunk takes from
// its write here to its arrival. Its failures are nobody's: a channel goes on
// without it. A nil probe does nothing.
type probe struct {
	stop context.CancelFunc // the segment will not come

	mu     sync.Mutex
	chunks []mark // written and not yet seen; guarded by mu
	total  int64  // bytes written; guarded by mu
}

// mark says when the byte before end was written.
type mark struct {
	end int64
	at  time.Time
}

// startProbe begins to view segment n of u. The viewer goes when it has read
// it, or shortly after the segment's time has passed.
func (c *channel) startProbe(ctx context.Context, u *cut, n int64) *probe {
	ctx, cancel := context.WithTimeout(ctx, time.Until(c.begin(n+1))+time.Second)
	p := &probe{stop: cancel}
	c.probes.Go(func() {
		defer cancel()
		for ctx.Err() == nil && !c.view(ctx, u.segmentName(n), p) {
			_ = sleepUntil(ctx, time.Now().Add(retryAfter))
		}
	})
	return p
}

// wrote notes that a chunk is about to be written.
func (p *probe) wrote(size int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += int64(size)
	p.chunks = append(p.chunks, mark{p.total, time.Now()})
}

// seen takes the chunks that end by offset and returns the newest.
func (p *probe) seen(offset int64) (newest mark, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.chunks) > 0 && p.chunks[0].end <= offset {
		newest, ok = p.chunks[0], true
		p.chunks = p.chunks[1:]
	}
	return newest, ok
}

// view does one GET and tells whether there was something to view.
func (c *channel) view(ctx context.Context, name string, p *probe) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.o.Base+"/"+name, http.NoBody)
	if err != nil {
		return true
	}
	req.Header.Set("User-Agent", userAgent+" probe")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.o.Client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false
	}
	c.follow(resp.Body, p)
	return true
}

// follow reads a segment to its end. Chunks written before it began do not
// count: it was not there when they came.
func (c *channel) follow(r io.Reader, p *probe) {
	joined := time.Now()
	buf := make([]byte, 32<<10)
	var offset int64
	for {
		n, err := r.Read(buf)
		now := time.Now()
		offset += int64(n)
		if m, ok := p.seen(offset); ok && !m.at.Before(joined) {
			c.progress.update(func(p *Progress) { p.ChunkDelay = now.Sub(m.at) })
		}
		if err != nil {
			return
		}
	}
}
