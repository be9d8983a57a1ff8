package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// hideTyping turns the echo of a terminal off; ok is false for what is none.
// restore also throws away what was typed and not read: it must not become a
// command of the shell.
func hideTyping(f *os.File) (restore func(), ok bool) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, false
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG // one line at a time, and Ctrl-C
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
		return nil, false
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETSF, before) }, true
}

// awaitTyping waits until the terminal has a line, or the context ends.
func awaitTyping(ctx context.Context, f *os.File) error {
	ended, end, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("wait for a line: %w", err)
	}
	defer func() { _ = ended.Close() }() // nothing goes through the pipe
	defer func() { _ = end.Close() }()
	defer context.AfterFunc(ctx, func() { _ = end.Close() })()
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}, {Fd: int32(ended.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait for a line: %w", err)
		}
	}
}
