package relay

import (
	"context"
	"errors"
	"io"
	"os"
)

// File is an input that is a file, given out in real time.
type File struct{ Path string }

// Traits is Input.Traits.
func (f File) Traits() Traits { return Traits{Name: f.Path, Paced: true, Again: OnJoin} }

// Open opens the file.
func (f File) Open(context.Context) (io.ReadCloser, error) { return os.Open(f.Path) }

// Stdin is standard input, or what stands in for it. It is read once: after its
// end the relay is over.
type Stdin struct {
	// File is what is read; nil: os.Stdin. It is left open.
	File *os.File
}

// Traits is Input.Traits.
func (Stdin) Traits() Traits { return Traits{Name: "-"} }

// Open returns standard input.
func (s Stdin) Open(context.Context) (io.ReadCloser, error) {
	if s.File == nil {
		s.File = os.Stdin
	}
	return openStdin(s.File)
}

// endOfClosed makes the error of reading what was closed meanwhile one that does
// not look like an end.
func endOfClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return ErrStopped
	}
	return err
}

// closeQuietly closes a file that was not written to, or none.
func closeQuietly(file *os.File) {
	if file != nil {
		_ = file.Close()
	}
}
