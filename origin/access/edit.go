package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// lockPatience is how long Edit waits for another to be done, lockEvery how
// often it looks.
const (
	lockPatience = 10 * time.Second
	lockEvery    = 10 * time.Millisecond
)

// ReadAccounts returns what the users file has.
func ReadAccounts(path string) (*Accounts, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	return parseAccounts(path, data)
}

// Edit changes the users file at path by change, or makes it, with mode 0600.
// It is all or nothing: when change returns an error, Edit returns that and
// leaves the file as it is, and who reads the file meanwhile sees the old one
// or the new. While one Edit is at work others wait, for up to 10 seconds; they
// know each other by the file path.lock, which stays.
func Edit(ctx context.Context, path string, change func(*Accounts) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // what a link leads to is changed, not the link
	}
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	a, err := ReadAccounts(path)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = newAccounts(), nil
	}
	if err != nil {
		return err
	}
	if err := change(a); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return replaceFile(path, a.format())
}

// waitFor calls try until it is done, the context ends or patience does.
func waitFor(ctx context.Context, path string, try func() (done bool, err error)) error {
	ctx, stop := context.WithTimeout(ctx, lockPatience)
	defer stop()
	every := time.NewTicker(lockEvery)
	defer every.Stop()
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return fmt.Errorf("another is changing the users, says %s: %w", path, ctx.Err())
		}
	}
}

// replaceFile puts data in the place of the file, under a temporary name first.
// The mode and the owner of the file before are kept: the server that reads it
// may be another user than who edits it.
func replaceFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	err = fill(f, path, data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

func fill(f *os.File, path string, data []byte) error {
	if before, err := os.Stat(path); err == nil {
		if err := keepOwner(f, before); err != nil {
			return err
		}
		if err := f.Chmod(before.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes the rename last. The file is in its place already, so it is no
// failure when a file system cannot do that.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
