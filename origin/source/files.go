package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// partSuffix is behind the name of a file that is not whole.
const partSuffix = ".part"

// files is a directory, or one file in it.
type files struct {
	path string // as it is given
	root *os.Root
	one  string // "": uploads keep their names
}

func newFiles(opt *Options) (*files, error) {
	f := &files{path: opt.File}
	dir := opt.File
	if os.IsPathSeparator(dir[len(dir)-1]) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("directory for uploads: %w", err)
		}
	} else {
		dir, f.one = filepath.Split(filepath.Clean(opt.File))
		info, err := os.Stat(opt.File)
		switch {
		case err == nil && info.IsDir():
			return nil, fmt.Errorf("%s is a directory: with a slash behind it, uploads go into it", opt.File)
		case err == nil && !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is not a regular file", opt.File)
		}
	}
	root, err := os.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("directory for uploads: %w", err)
	}
	if err := f.probe(root); err != nil {
		_ = root.Close() // nothing was written
		return nil, fmt.Errorf("%s cannot be written to: %w", root.Name(), err)
	}
	f.root = root
	return f, nil
}

// probe tries to make a file.
func (f *files) probe(root *os.Root) error {
	name := ".headwater" + partSuffix
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_ = root.Remove(name) // another may have, who probed at the same time
	return file.Close()
}

func (f *files) name() string { return "file:" + f.path }
func (f *files) close() error { return f.root.Close() }

func (f *files) key(u Upload) (string, bool) { return f.target(u), true }

func (f *files) target(u Upload) string {
	if f.one != "" {
		return f.one
	}
	return u.Name
}

func (f *files) open(t *transfer) (sink, error) {
	name := f.target(t.u)
	if f.one == "" && strings.HasSuffix(name, partSuffix) {
		return nil, fmt.Errorf("%w: what ends in %s is not whole", ErrName, partSuffix)
	}
	if dir := path.Dir(name); dir != "." {
		if err := f.root.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	part := name + partSuffix
	// Who still reads a part that was left behind keeps it as it was.
	if err := f.root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := f.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &fileSink{of: f, t: t, name: name, part: part, file: file}, nil
}

// fileSink is a file that grows.
type fileSink struct {
	of         *files
	t          *transfer
	name, part string
	file       *os.File
}

func (s *fileSink) Write(p []byte) (int, error) {
	if s.t.ctx.Err() != nil {
		return 0, context.Cause(s.t.ctx)
	}
	return s.file.Write(p)
}

func (s *fileSink) finish() error {
	err := s.file.Close()
	if err == nil {
		err = s.of.root.Rename(s.part, s.name)
	}
	if err != nil {
		s.remove()
	}
	return err
}

func (s *fileSink) abort() {
	_ = s.file.Close() // it is removed
	s.remove()
}

// remove removes the part. One that stays is told of by its name.
func (s *fileSink) remove() {
	if err := s.of.root.Remove(s.part); err != nil {
		s.t.log.Error("removing what broke off", "err", err)
	}
}
