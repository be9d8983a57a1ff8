package access

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Rules are what a rule file says. They are not changed.
type Rules struct {
	Directories []Directory // in the order of the file

	sections []ruleSection
}

// Directory is a directory that is served.
type Directory struct {
	Dir  string // absolute, or Memory
	Name string // where it is in URLs, without slashes around; "" is the root
	Line int    // of its section
	Rights
	Subs []Sub // the longest paths first
}

// Sub is a part of a directory that has rights of its own.
type Sub struct {
	Path string // within the directory, with slashes, such as a/b
	Rights
}

// LoadRules is ParseRules of a file. That a section is in the directory of
// another by a symbolic link only is an error, too.
func LoadRules(file string) (*Rules, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return loadRules(file, data)
}

func loadRules(file string, data []byte) (*Rules, error) {
	r, err := ParseRules(file, data)
	if err != nil {
		return nil, err
	}
	if err := r.checkLinks(); err != nil {
		err.File = file
		return nil, err
	}
	return r, nil
}

// ParseRules reads a rule file; its name is for errors, which are *FileError:
//
//	[foodir]
//	name=bar
//	ru=alice,bob
//
// serves the directory foodir as /bar to two users. A directory that is not
// absolute is in the process's working directory; gmem is memory. A section
// without a name is served at the root, unless it lies below the directory of
// another section: then it says who may read and write there, alone; nothing of
// the other's rights counts. A section below another that has a name does both,
// so that files have the same rights wherever they are seen. A section whose
// filters are for others than httpout, headwater, all or * is left out. All
// paths are compared as they are written: see RightsFor for links.
func ParseRules(file string, data []byte) (*Rules, error) {
	r, err := parseRules(data)
	if err != nil {
		err.File = file
		return nil, err
	}
	return r, nil
}

func parseRules(data []byte) (*Rules, *FileError) {
	raw, err := scanINI(data)
	if err != nil {
		return nil, err
	}
	r := &Rules{}
	for i := range raw {
		s, err := newRuleSection(&raw[i])
		if err != nil {
			return nil, err
		}
		if s != nil {
			r.sections = append(r.sections, *s)
		}
	}
	err = r.arrange()
	return r, err
}

// arrange makes the directories of the sections. It takes the square of their
// number, which is small.
func (r *Rules) arrange() *FileError {
	dirs, names := map[string]int{}, map[string]int{}
	for i := range r.sections {
		s := &r.sections[i]
		if before, twice := dirs[s.dir]; twice {
			return wrong(s.line, "the directory %s has a section in line %d already", s.dir, before)
		}
		dirs[s.dir] = s.line
		if before, twice := names[s.name]; twice && s.name != "" {
			return wrong(s.line, "name: %q is the name of the section in line %d, too", s.name, before)
		}
		names[s.name] = s.line
		if s.name != "" || !r.isSub(s) {
			if s.inMemory && s.dir != Memory {
				return wrong(s.line, "%s is below %s, but there is no section [%s], or it has a name", s.dir, Memory, Memory)
			}
			r.Directories = append(r.Directories, r.directory(s))
		}
	}
	return nil
}

func (r *Rules) isSub(s *ruleSection) bool {
	return slices.ContainsFunc(r.sections, func(other ruleSection) bool {
		_, below := s.below(other.dir, other.inMemory)
		return below
	})
}

// directory returns what the sections say of s and what is below it.
func (r *Rules) directory(s *ruleSection) Directory {
	d := Directory{Dir: s.dir, Name: s.name, Line: s.line, Rights: s.rights}
	for i := range r.sections {
		if rel, below := r.sections[i].below(s.dir, s.inMemory); below {
			d.Subs = append(d.Subs, Sub{rel, r.sections[i].rights})
		}
	}
	slices.SortStableFunc(d.Subs, func(a, b Sub) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	return d
}

// HasWrite says whether the rules of the directory say anything of writing, for
// any part of it. Where they do, a part that says nothing is not written to.
func (d *Directory) HasWrite() bool {
	return d.Rights.HasWrite() || slices.ContainsFunc(d.Subs, func(s Sub) bool { return s.HasWrite() })
}

// cleanRel returns the path without . and .. in it, and without slashes around.
func cleanRel(rel string) string { return path.Clean("/" + rel)[1:] }

// RightsFor returns the rights of a path within the directory, with slashes and
// decoded: those of the most specific section that it is in, or is the directory
// of. A path is taken as it is written, capitals and links included: LiveRules
// knows of links; a file system that does not tell capitals from small letters
// must not be served by rules.
func (d *Directory) RightsFor(rel string) *Rights {
	rel = cleanRel(rel)
	for i := range d.Subs {
		if rest, in := strings.CutPrefix(rel, d.Subs[i].Path); in && (rest == "" || rest[0] == '/') {
			return &d.Subs[i].Rights
		}
	}
	return &d.Rights
}
