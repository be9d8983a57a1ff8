package access

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// errLeadsOut means that a link leads to where nothing is served.
var errLeadsOut = errors.New("leads out of the directory")

// throughLinks returns the path within dir that the path rel leads to by the
// links in it. ok is false when there are none. What is not there yet is in the
// directory that its path leads to.
func throughLinks(dir, rel string) (to string, ok bool, err error) {
	if !hasLink(dir, rel) {
		return "", false, nil
	}
	top, err := realDir(dir)
	if err != nil {
		return "", false, err
	}
	full, err := realDir(filepath.Join(dir, filepath.FromSlash(rel)))
	if err != nil {
		return "", false, err
	}
	to, err = filepath.Rel(top, full)
	if err != nil || !filepath.IsLocal(to) {
		return "", false, errLeadsOut
	}
	return filepath.ToSlash(to), true, nil
}

// hasLink says whether a part of the path, within dir, is a link.
func hasLink(dir, rel string) bool {
	at := dir
	for part := range strings.SplitSeq(rel, "/") {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		switch {
		case err != nil:
			return false // nothing is there
		case info.Mode()&fs.ModeSymlink != 0:
			return true
		}
	}
	return false
}

// realDir returns the path without links. Of one that does not exist it is the
// part that does, with the rest behind it.
func realDir(path string) (string, error) {
	rest := ""
	for {
		full, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(full, rest), nil
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || parent == path {
			return "", err
		}
		rest = filepath.Join(filepath.Base(path), rest)
		path = parent
	}
}

// checkLinks refuses sections whose directories are in one another by a link
// only: which rights hold there would depend on the way that a request takes.
func (r *Rules) checkLinks() *FileError {
	var sections []ruleSection // as they are without links
	for i := range r.sections {
		s := r.sections[i]
		if !s.inMemory {
			dir, err := realDir(s.dir)
			if err != nil {
				return wrong(s.line, "[%s]: %v", s.dir, err)
			}
			s.dir = dir
		}
		sections = append(sections, s)
	}
	for i := range sections {
		for j := range sections {
			if err := r.checkPair(sections, i, j); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Rules) checkPair(plain []ruleSection, i, j int) *FileError {
	s, other := &r.sections[i], &r.sections[j]
	if i > j && plain[i].dir == plain[j].dir {
		return wrong(s.line, "[%s] is, by a link, the directory of the section in line %d", s.dir, other.line)
	}
	written, _ := s.below(other.dir, other.inMemory)
	if found, below := plain[i].below(plain[j].dir, other.inMemory); below && found != written {
		return wrong(s.line, "[%s] is, by a link, %s in the directory of the section in line %d: write it so", s.dir, found, other.line)
	}
	return nil
}

// rightsThroughLinks returns the rights of a path as it is written, and of what
// it leads to: both must allow what is asked.
func (d *Directory) rightsThroughLinks(rel string) *Rights {
	written := d.RightsFor(rel)
	if len(d.Subs) == 0 || !filepath.IsAbs(d.Dir) {
		return written
	}
	to, ok, err := throughLinks(d.Dir, cleanRel(rel))
	switch {
	case err != nil:
		return nobody()
	case !ok:
		return written
	}
	found := d.RightsFor(to)
	if found == written {
		return written
	}
	both := *written
	both.also = found
	return &both
}

func nobody() *Rights { return &Rights{RU: []string{None}, WU: []string{None}} }
