package folder

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFlags never wait for the other end of a named pipe.
const openFlags = os.O_RDONLY | unix.O_NONBLOCK

// findWriter asks for a read lease, which the kernel gives only when nobody has
// the file open for writing, and hands it back at once. It is unknown for a file
// of another user without CAP_LEASE, and on file systems without leases.
func findWriter(f *os.File) writerState {
	conn, err := f.SyscallConn()
	if err != nil {
		return writerUnknown
	}
	state := writerUnknown
	err = conn.Control(func(fd uintptr) {
		_, err := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK)
		switch {
		case err == nil:
			_, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK) // it has one to give back
			state = writerAbsent
		case errors.Is(err, unix.EAGAIN):
			state = writerPresent
		}
	})
	if err != nil {
		return writerUnknown
	}
	return state
}

func inodeOf(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}
