package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// userAgent names the source of the channel to the origin.
const userAgent = "headwater-demo"

var errEarlyAnswer = errors.New("the answer came before the segment's end")

// put sends a whole file.
func (c *channel) put(ctx context.Context, name, contentType string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.grace())
	defer cancel()
	return c.do(ctx, name, contentType, bytes.NewReader(data))
}

// putSegment sends a segment of a track while its time passes, and counts it.
func (c *channel) putSegment(ctx context.Context, u *cut, n int64) error {
	bound, cancel := context.WithTimeout(ctx, max(0, time.Until(c.begin(n+1)))+c.grace())
	defer cancel()
	b := &body{cut: u, n: n}
	b.ctx, b.cancel = context.WithCancel(bound)
	if u.width > 0 {
		c.progress.update(func(p *Progress) { p.Segment = n })
		if c.begin(n + 1).After(time.Now()) {
			b.probe = c.startProbe(ctx, u, n)
		}
	}
	b.sent = func(size int) { c.progress.update(func(p *Progress) { p.Bytes += int64(size) }) }
	err := c.do(bound, u.segmentName(n), u.mime, b)
	if err == nil && !b.whole.Load() {
		err = fmt.Errorf("putting %s: %w", u.segmentName(n), errEarlyAnswer)
	}
	if err != nil && b.probe != nil {
		b.probe.stop()
	}
	c.fail(ctx, err)
	return err
}

// do sends one PUT. An answer other than 2xx is an error.
func (c *channel) do(ctx context.Context, name, contentType string, data io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.o.Base+"/"+name, data)
	if err != nil {
		return fmt.Errorf("putting %s: %w", name, err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("DASH-IF-Ingest", "1.1")
	resp, err := c.o.Client.Do(req)
	if err != nil {
		return fmt.Errorf("putting %s: %w", name, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4096) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("putting %s: %s", name, resp.Status)
	}
	return nil
}

// body is the body of a segment's PUT. It makes each chunk when it is due and
// ends with ctx. The transport reads it from one goroutine.
type body struct {
	cut    *cut
	n      int64 // segment
	ctx    context.Context
	cancel context.CancelFunc
	sent   func(size int) // called with each chunk's size, just before it is written
	probe  *probe         // nil if nobody looks

	k     int64       // next chunk
	rest  []byte      // of the chunk that Read is in
	whole atomic.Bool // read to the end
}

// next waits for the next chunk and returns it, or io.EOF after the last.
func (b *body) next() ([]byte, error) {
	if b.k == b.cut.perSegment {
		b.whole.Store(true)
		return nil, io.EOF
	}
	chunk, err := b.cut.chunk(b.n, b.k)
	if err != nil {
		return nil, err
	}
	if err := sleepUntil(b.ctx, b.cut.due(b.n, b.k)); err != nil {
		return nil, err
	}
	b.k++
	b.sent(len(chunk))
	b.probe.wrote(len(chunk))
	return chunk, nil
}

// WriteTo hands each chunk over in one Write. The HTTP/1.1 transport calls it
// and makes one HTTP chunk of each Write, whatever the size.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		chunk, err := b.next()
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(chunk)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// Read is for HTTP/2, whose frames have sizes of their own.
func (b *body) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		chunk, err := b.next()
		if err != nil {
			return 0, err
		}
		b.rest = chunk
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close ends a wait in progress.
func (b *body) Close() error {
	b.cancel()
	return nil
}
