package script

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"time"
)

// Why a request had no answer. Each comes wrapped in what the script was doing.
var (
	// ErrTime is an entry into the script, or the way to its send(), that took
	// longer than it may.
	ErrTime = errors.New("the script took too long")
	// ErrMemory is a script with more on its heap than it may have.
	ErrMemory = errors.New("the script used too much memory")
	// ErrStopped is an engine that was closed.
	ErrStopped = errors.New("the script engine is closed")
	// ErrScript is an exception in the script, or a value it may not give.
	ErrScript = errors.New("the script failed")
	// ErrBusy is a request too many: MaxPending others wait for send().
	ErrBusy = errors.New("too many requests wait for the script")
)

// Defaults of Options.
const (
	DefaultTime       = time.Second
	DefaultWait       = 30 * time.Second
	DefaultMemory     = 64 << 20
	DefaultMaxPending = 1024
)

const (
	maxSource  = 4 << 20              // bytes of a script
	maxURL     = 64 << 10             // bytes of a request's URL
	maxHeaders = 1 << 20              // bytes of all names and values of a message's headers
	maxBody    = 16 << 20             // bytes of the body a script gives as a string
	maxBuffer  = 64 << 10             // bytes of the buffer of a read or write callback
	maxText    = 2 << 10              // bytes of an error's text
	maxPrint   = 8 << 10              // bytes of a line the script prints
	maxTimers  = 10_000               // timers a script may have set
	maxStack   = 4096                 // calls a script may have nested
	maxGoStack = 64 << 20             // bytes of the stack of the goroutine the script runs on
	minMemory  = 4 << 20              // bytes; what is on its way to the script is in it, too
	retryFirst = 2 * time.Millisecond // after the first read that had nothing yet
	retryMost  = 16 * time.Millisecond
	pauseFirst = 20 * time.Millisecond
	pauseMost  = 5 * time.Second
	goodLife   = 10 * time.Second // a process that lived this long was a good one
)

// Options are what an Engine is made of. Only Path is required.
type Options struct {
	Path       string        // of the script
	Time       time.Duration // for each entry into the script; DefaultTime
	Wait       time.Duration // from a request to its send(); DefaultWait
	Memory     int64         // bytes on the script's heap; DefaultMemory
	MaxPending int           // requests that wait for send(); DefaultMaxPending
	Log        *slog.Logger  // nil: slog.Default()
	Print      io.Writer     // takes what the script prints, a line at a time; nil: the log

	// For tests: a child without its watch over the heap, that the wall behind
	// it is seen to hold; and how long a silent child is borne.
	unwatched bool
	patience  time.Duration
}

func (o *Options) setDefaults() {
	if o.Time <= 0 {
		o.Time = DefaultTime
	}
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	o.Memory = max(o.Memory, minMemory)
	if o.MaxPending <= 0 {
		o.MaxPending = DefaultMaxPending
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.patience <= 0 {
		// Every entry ends after its time and a half at the latest, and is
		// then heard of; a timer's entry may come before it.
		o.patience = 3*o.Time + 3*time.Second
	}
}

// readSource returns the text of the script at path.
func readSource(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSource {
		return "", errors.New(path + ": a script may have at most 4 MiB")
	}
	return string(text), nil
}
