package script

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// seal closes what the parent had inherited itself and so passed on, ignores
// the signals that are meant for the parent, and leaves no core.
func seal() {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	for _, fd := range descriptors() {
		var st unix.Stat_t
		// What has no type is an epoll or event descriptor: the runtime's own.
		if fd > 2 && unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT != 0 {
			unix.Close(fd) //nolint:errcheck // it was not ours
		}
	}
	limit := unix.Rlimit{}
	unix.Setrlimit(unix.RLIMIT_CORE, &limit) //nolint:errcheck // a lower limit is always allowed
}

// descriptors are the open ones, or all that there are likely to be.
func descriptors() []int {
	var list []int
	if names, err := os.ReadDir("/proc/self/fd"); err == nil {
		for _, n := range names {
			if fd, err := strconv.Atoi(n.Name()); err == nil {
				list = append(list, fd)
			}
		}
		return list
	}
	for fd := range 4096 {
		list = append(list, fd)
	}
	return list
}

// wall has the kernel refuse this process data beyond so many bytes more than
// it has. It is far behind the bound that is watched.
func wall(more int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		rest, ok := strings.CutPrefix(line, "VmData:")
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return
		}
		top := uint64(kb<<10 + more)
		unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: top, Max: top}) //nolint:errcheck // the watch remains
	}
}
