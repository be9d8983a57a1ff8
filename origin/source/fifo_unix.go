//go:build unix

package source

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// makePipe makes a named pipe for its owner and group.
func makePipe(path string) error { return unix.Mkfifo(path, 0o660) }

// mayWrite returns an error unless the file can be opened for writing.
func mayWrite(path string) error { return unix.Access(path, unix.W_OK) }

// openPipe opens the writing end. It does not wait, but fails with ENXIO, when
// nobody reads.
func openPipe(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode()&fs.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s is not a named pipe any more", path)
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return file, nil
}
