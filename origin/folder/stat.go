package folder

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
)

// Why a file is skipped.
var (
	errLink    = errors.New("it is a symbolic link")
	errSpecial = errors.New("it is not a regular file")
)

func (l *loop) isDir(file string) bool {
	info, err := l.root.Lstat(file)
	return err == nil && info.IsDir()
}

// stat returns what the path is, nil if there is no file to be taken. An error
// tells that it is not known.
func (l *loop) stat(file string) (fs.FileInfo, error) {
	dir := path.Dir(file)
	if dir == "." {
		dir = ""
	}
	if _, ok := l.dirs[dir]; !ok || l.root == nil {
		return nil, nil // its directory is none, or a link to one
	}
	info, err := l.root.Lstat(file)
	switch {
	case isGone(err):
		return nil, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, nil
	case info.Mode()&fs.ModeSymlink != 0:
		l.notes.skipped(file, errLink)
		return nil, nil
	case !info.Mode().IsRegular():
		l.notes.skipped(file, errSpecial)
		return nil, nil
	}
	return info, nil
}

// isGone reports that there is no such path, even if a part of it is a file.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
