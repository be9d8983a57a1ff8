package source

import (
	"context"
	"io"
	"time"
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// interruptAgain is how often a Read is interrupted until it returns.
const interruptAgain = 20 * time.Millisecond

// interrupts makes the body's Read fail once ctx is done, if the body can do that.
// It does so until stop is called, because a body may move its deadline itself.
func interrupts(ctx context.Context, body io.Reader) (stop func()) {
	d, ok := body.(interface{ SetReadDeadline(time.Time) error })
	if !ok {
		return func() {}
	}
	read, ended := make(chan struct{}), make(chan struct{})
	unused := context.AfterFunc(ctx, func() {
		defer close(ended)
		for again := true; again; {
			_ = d.SetReadDeadline(longAgo) // what cannot be interrupted is waited for
			again = !waitFor(read, interruptAgain, nil)
		}
	})
	return func() {
		close(read)
		if !unused() {
			<-ended
		}
	}
}

// waitFor returns true once done is closed, and false after the span (0: none)
// or once cut is closed (nil: never).
func waitFor(done <-chan struct{}, span time.Duration, cut <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	var over <-chan time.Time
	if span > 0 {
		timer := time.NewTimer(span)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-done:
		return true
	case <-over:
	case <-cut:
	}
	return false
}
