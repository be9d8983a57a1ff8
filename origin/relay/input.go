package relay

import (
	"context"
	"io"
)

// Again is what follows the end of an input.
type Again uint8

// What follows the end of an input that ended well.
const (
	Never     Again = iota // nothing: it is over
	OnJoin                 // with Options.Reopen it is opened for the next listener; else it is over
	OnReopen               // with Options.Reopen it is opened at once; else it is over
	Endlessly              // it is opened at once
)

// Traits are what a relay must know of an input.
type Traits struct {
	// Name is what it is called in logs; its extension may tell the format.
	Name string
	// Paced says that it comes faster than real time, so that the relay gives
	// it out by the frames' times or Options.Rate.
	Paced bool
	// Again is what follows a good end.
	Again Again
	// Retry says that it is opened anew after a failure; else a failure is the
	// end.
	Retry bool
	// Waits says that Open waits for the far end, so that it may be called
	// again at once after an end.
	Waits bool
}

// Input is where a relay's bytes come from. If it is an io.Closer, too, Run
// closes it at its own end.
type Input interface {
	// Open returns the next stream of bytes, once there is one, or ctx's cause.
	// Close of the stream may be called at any time and more than once, and
	// ends a Read. A Read that returns io.EOF says that the stream ended well.
	Open(ctx context.Context) (io.ReadCloser, error)
	// Traits never change.
	Traits() Traits
}
