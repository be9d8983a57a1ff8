package source

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrBusy is returned by Take when others have the output for longer than
	// an upload waits, or when too many uploads are under way. Nothing of the
	// body was read.
	ErrBusy = errors.New("the output is busy with other uploads")
	// ErrClosed is returned by Take of an Output that is closed.
	ErrClosed = errors.New("the output is closed")
	// ErrName is wrapped when an upload's name cannot be used with this output.
	ErrName = errors.New("the name cannot be used")
)

// BodyError is why an upload came to no end. The output has been told.
type BodyError struct{ Err error }

func (e *BodyError) Error() string { return "the upload broke off: " + e.Err.Error() }

// Unwrap returns the error of the body, or why the upload was given up.
func (e *BodyError) Unwrap() error { return e.Err }

// OutputError is why an output did not take all of an upload.
type OutputError struct {
	Output string // such as exec:ffplay; of a URL without credentials and query
	Err    error
}

func (e *OutputError) Error() string { return fmt.Sprintf("output %s: %v", e.Output, e.Err) }

// Unwrap returns what failed.
func (e *OutputError) Unwrap() error { return e.Err }

// What an output may fail of.
var (
	errReaderGone = errors.New("the reader has gone")
	errDeaf       = errors.New("the command reads no more")
)

// slowError is an output that took nothing for so long.
type slowError time.Duration

func (e slowError) Error() string { return fmt.Sprintf("it took nothing for %v", time.Duration(e)) }

// noReaderError is a pipe that nobody reads.
type noReaderError time.Duration

func (e noReaderError) Error() string {
	return fmt.Sprintf("nobody has read from it for %v", time.Duration(e))
}
