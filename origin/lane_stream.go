package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// writeStream writes content as it is made. A client that takes nothing for
// viewer_timeout is cut, and a stream that fails breaks the transfer.
func (l *netLane) writeStream(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, m *mount, rep *reply, b *streamBody) error {
	d := writeDeadline(m, rc)
	d.extend()
	writeHead(w, rep)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := rc.Flush(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	if b.onCut != nil {
		b.onCut(func() { _ = rc.SetWriteDeadline(time.Unix(1, 0)) })
	}
	var slices [][]byte
	for {
		d.clear() // waiting is not slow
		var err error
		slices, err = b.next(ctx, slices[:0])
		d.extend()
		n, writeErr := writeSlices(w, slices)
		rep.sent += n
		countSent(m, n)
		if writeErr == nil && err == nil && n > 0 {
			writeErr = rc.Flush()
		}
		switch {
		case writeErr != nil:
			return countCutOf(m, d.explain(writeErr))
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// countSent counts content, which may be of no mount.
func countSent(m *mount, n int64) {
	if m != nil {
		m.metrics.egressBytes.Add(float64(n))
	}
}

// countCutOf is countCut for a reply that may be of no mount.
func countCutOf(m *mount, err error) error {
	if m != nil {
		m.countCut(err)
	}
	return err
}
