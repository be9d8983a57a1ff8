//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lockFile makes a file that must not be there yet. It is left behind only by a
// command that was killed; the error then names it.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	err = waitFor(ctx, path, func() (bool, error) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, f.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("lock the users (remove the file if no command is at work): %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}

func keepOwner(*os.File, os.FileInfo) error { return nil }
