package framing

import "time"

// clockJump is how far a stream's clock may go ahead between two of its times;
// what is further, or goes back, is a break.
const clockJump = 10 * time.Second

// clock makes of a stream's own times one that never goes back: at a break it
// goes on by the last step.
type clock struct {
	hz, wrap int64 // ticks a second; and how many until it begins at 0 again, or 0
	began    bool
	last     int64
	at, step time.Duration
}

// tick returns the time of a stream's time; broken says that the stream itself
// tells of a break.
func (c *clock) tick(v int64, broken bool) time.Duration {
	if !c.began {
		c.began, c.last = true, v
		return 0
	}
	d := v - c.last
	if c.wrap > 0 && d < -c.wrap/2 {
		d += c.wrap
	}
	c.last = v
	if broken || d < 0 || d/c.hz >= int64(clockJump/time.Second) {
		c.at += c.step
		return c.at
	}
	if d > 0 {
		c.step = time.Duration(d * int64(time.Second) / c.hz)
	}
	c.at += time.Duration(d * int64(time.Second) / c.hz)
	return c.at
}
