//go:build unix

package relay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// stdin reads a file that others may share, so that it can neither be closed nor
// made non-blocking. It polls it beside a pipe of its own, whose closing ends
// the wait.
type stdin struct {
	file       *os.File
	wake, woke *os.File // the pipe: closed by Close, polled by Read
	closed     atomic.Bool
}

func openStdin(file *os.File) (io.ReadCloser, error) {
	woke, wake, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return &stdin{file: file, wake: wake, woke: woke}, nil
}

func (s *stdin) Read(p []byte) (int, error) {
	closed, err := pollTwo(s.file, s.woke)
	if closed || s.closed.Load() {
		return 0, ErrStopped
	}
	if err != nil {
		return 0, err
	}
	return s.file.Read(p)
}

func (s *stdin) Close() error {
	if !s.closed.Swap(true) {
		closeQuietly(s.wake)
		closeQuietly(s.woke)
	}
	return nil
}

// pollTwo waits until one of the files can be read from, or has ended, and says
// whether the second one has. The files stay open meanwhile.
func pollTwo(a, b *os.File) (second bool, err error) {
	connA, err := a.SyscallConn()
	if err != nil {
		return false, err
	}
	connB, err := b.SyscallConn()
	if err != nil {
		return false, err
	}
	var errA, polled error
	errB := connB.Control(func(fdB uintptr) {
		errA = connA.Control(func(fdA uintptr) {
			fds := []unix.PollFd{{Fd: int32(fdA), Events: unix.POLLIN}, {Fd: int32(fdB), Events: unix.POLLIN}} //nolint:gosec // descriptors are small
			for {
				if _, polled = unix.Poll(fds, -1); !errors.Is(polled, unix.EINTR) {
					break
				}
			}
			second = fds[1].Revents != 0
		})
	})
	return second, errors.Join(errB, errA, polled)
}
