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

// tick returns the time of a stream's time, and whether the clock has broken
// off before it; broken says that the stream itself tells so.
func (c *clock) tick(v int64, broken bool) (at time.Duration, brokeOff bool) {
	if !c.began {
		c.began, c.last = true, v
		return c.at, false
	}
	d := v - c.last
	if c.wrap > 0 && d < -c.wrap/2 {
		d += c.wrap
	}
	c.last = v
	if broken || d < 0 || d/c.hz >= int64(clockJump/time.Second) {
		c.at += c.step
		return c.at, true
	}
	// In two parts: nanoseconds of ten seconds at a high rate do not fit.
	passed := time.Duration(d/c.hz)*time.Second + time.Duration(d%c.hz*int64(time.Second)/c.hz)
	if d > 0 {
		c.step = passed
	}
	c.at += passed
	return c.at, false
}
