package segstore

import (
	"errors"
	"fmt"
)

// Errors of a Store. They are wrapped with the name they are about.
var (
	ErrName           = errors.New("not a usable name")
	ErrIsDir          = errors.New("is a directory")
	ErrReadOnly       = errors.New("store is read-only")
	ErrOverBudget     = errors.New("no memory left in the byte budget")
	ErrKept           = errors.New("the upload that came first is kept")
	ErrTooManyWaiters = errors.New("too many requests wait for files to come")
	ErrClosed         = errors.New("store is closed")
	ErrDeleted        = errors.New("deleted while being uploaded")
	ErrUnsaved        = errors.New("complete, but not saved to disk")
	ErrGrowing        = errors.New("is being uploaded")
	ErrGap            = errors.New("byte range begins behind the end of the file")
	ErrSpan           = errors.New("not a usable byte range")
	ErrChanged        = errors.New("another version has the name by now")
)

// Reason is why a name has no File.
type Reason uint8

const (
	// Never: nothing suggests that the name will be, or was, uploaded.
	Never Reason = iota
	// Next: it is the file after the newest of a living track.
	Next
	// Future: it is a later file of a known track.
	Future
	// Evicted: it is an earlier file of a known track.
	Evicted
)

// MissingError is returned by Lookup for a name that has no File.
type MissingError struct {
	Name   string
	Reason Reason
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: no such file", e.Name)
}
