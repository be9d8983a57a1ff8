package relay

import (
	"os"

	"golang.org/x/sys/unix"
)

// openFIFO opens the reading end without waiting for a writer.
func openFIFO(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// awaitWriter returns when there is something to read, or when a writer came and
// went. A Read before that would look like an end. Linux tells a pipe that has
// had no writer since it was opened from one whose writers are gone.
func awaitWriter(file *os.File) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // descriptors are small
		n, err := unix.Poll(fds, 0)
		return n != 0 || err != nil && err != unix.EINTR && err != unix.EAGAIN
	})
}
