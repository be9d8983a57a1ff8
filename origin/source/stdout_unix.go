//go:build unix

package source

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// lookAgain is how often a write that waits looks for its context.
const lookAgain = 50 * time.Millisecond

// polled writes to a file that others may share, so that it cannot be made
// non-blocking: a write that would wait is found out beforehand, and no more is
// written at once than a pipe takes then. It writes past os.File, which ends the
// program when the reader of its standard output has gone.
type polled struct {
	ctx  context.Context
	file *os.File
	max  time.Duration // without progress; 0: no bound
	size int           // of one write
}

func newPolled(ctx context.Context, file *os.File, bound time.Duration) io.Writer {
	w := &polled{ctx: ctx, file: file, max: bound, size: 512}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		w.size = readSize
	} else if runtime.GOOS == "linux" {
		w.size = 4096
	}
	return w
}

func (w *polled) Write(p []byte) (n int, err error) {
	moved := time.Now()
	for n < len(p) {
		if w.ctx.Err() != nil {
			return n, context.Cause(w.ctx)
		}
		took, err := w.once(p[n:min(len(p), n+w.size)])
		n += took
		switch {
		case err != nil:
			return n, err
		case took > 0:
			moved = time.Now()
		case w.max > 0 && time.Since(moved) > w.max:
			return n, slowError(w.max)
		}
	}
	return n, nil
}

// once writes if that is possible within lookAgain.
func (w *polled) once(p []byte) (n int, err error) {
	fds := []unix.PollFd{{Events: unix.POLLOUT}}
	if err = poll(w.file, fds, int(lookAgain.Milliseconds())); err != nil || fds[0].Revents == 0 {
		return 0, err
	}
	conn, err := w.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var wrote error
	err = conn.Control(func(fd uintptr) { n, wrote = unix.Write(int(fd), p) }) //nolint:gosec // descriptors are small
	if errors.Is(wrote, unix.EAGAIN) || errors.Is(wrote, unix.EINTR) {
		return 0, err
	}
	return max(n, 0), errors.Join(err, wrote)
}

// poll waits for the events of the file for at most so many milliseconds. fds has
// one element, whose Fd it sets.
func poll(file *os.File, fds []unix.PollFd, ms int) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		fds[0].Fd = int32(fd) //nolint:gosec // descriptors are small
		_, failed = unix.Poll(fds, ms)
	})
	if errors.Is(failed, unix.EINTR) {
		failed = nil
	}
	return errors.Join(err, failed)
}
