package relay

import (
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

const (
	// paceSlack is how early a frame may go: what is due within it goes
	// together.
	paceSlack = 5 * time.Millisecond
	// paceLate is how late the input may come before it is taken as held up,
	// and goes on from there without catching up.
	paceLate = time.Second
	// paceJump is the longest wait for one frame; a time further ahead is taken
	// as a fault of the stream.
	paceJump = time.Minute
)

// pacer says when frames are due. Its zero value is ready for begin.
type pacer struct {
	rate  int64     // bits per second of what has no times; 0: unknown
	began bool      // start is set
	timed bool      // frames have times of their own
	start time.Time // when time zero of this connection was due
	bytes int64     // of this connection
	last  time.Duration
	step  time.Duration // between the newest two different times
	ends  time.Time     // when the connection before is played to its end
}

// begin is called before the first frame of a connection, which goes on where
// the one before ended.
func (p *pacer) begin(rate int64) {
	next := pacer{rate: rate, ends: p.ends}
	if p.began {
		next.ends = p.start.Add(p.last + p.step)
	}
	*p = next
}

// until returns how long f is to wait; 0: no longer.
func (p *pacer) until(f framing.Frame, now time.Time) time.Duration {
	at, ok := p.mediaTime(f)
	if !ok {
		return 0 // goes with the frame before
	}
	if !p.began {
		p.began, p.last = true, at
		p.start = now.Add(-at)
		if ahead := p.ends.Sub(now); ahead > 0 && ahead < paceJump {
			p.start = p.ends.Add(-at)
		}
	}
	if at > p.last {
		p.last, p.step = at, at-p.last
	}
	wait := p.start.Add(at).Sub(now)
	switch {
	case wait < -paceLate, wait > paceJump:
		p.start = now.Add(-at)
		return 0
	case wait <= paceSlack:
		return 0
	}
	return wait
}

// mediaTime returns f's place in time, if it has one.
func (p *pacer) mediaTime(f framing.Frame) (time.Duration, bool) {
	sent := p.bytes
	p.bytes += int64(len(f.Data))
	if f.Time != framing.NoTime {
		if !p.timed {
			p.timed, p.began = true, false
		}
		return f.Time, true
	}
	if p.timed || p.rate <= 0 {
		return 0, false
	}
	at := time.Duration(float64(sent) * 8 / float64(p.rate) * float64(time.Second))
	if end := time.Duration(float64(p.bytes) * 8 / float64(p.rate) * float64(time.Second)); sent > 0 {
		p.step = end - at
	}
	return at, true
}
