//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile locks a file of its own, as the users file is replaced. The lock ends
// with the process at the latest.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the users: %w", err)
	}
	err = waitFor(ctx, path, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("lock the users: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

// keepOwner gives f the owner and the group of the file before.
func keepOwner(f *os.File, before os.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	was, ok1 := before.Sys().(*syscall.Stat_t)
	is, ok2 := now.Sys().(*syscall.Stat_t)
	if !ok1 || !ok2 || was.Uid == is.Uid && was.Gid == is.Gid {
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
