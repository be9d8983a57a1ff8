package access

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Memory is the section, and the Directory.Dir, of what is kept in memory.
const Memory = "gmem"

// ruleSection is one section of a rule file that applies here.
type ruleSection struct {
	dir      string // absolute, or Memory, or below Memory
	inMemory bool
	name     string // as in URLs, without slashes around; "" for none
	line     int
	rights   Rights
}

// ruleKeys are all keys there are. mcast is for multicast, which HTTP has not.
var ruleKeys = []string{"name", "ru", "rg", "wu", "wg", "filters", "mcast"}

// appliesTo are the filters that a section is for, one of which we are.
var appliesTo = []string{"*", "all", "httpout", "headwater"}

// newRuleSection returns nil for a section that is for others. Its keys are
// looked at all the same: a slip in filters must not hide others.
func newRuleSection(in *iniSection) (*ruleSection, *FileError) {
	s := &ruleSection{line: in.line}
	applies := true
	for _, k := range in.keys {
		if !slices.Contains(ruleKeys, k.name) {
			return nil, wrong(k.line, "%s: unknown key; there are %s", k.name, strings.Join(ruleKeys, ", "))
		}
		list, ok := commaList(k.value)
		if !ok && k.name != "mcast" {
			return nil, wrong(k.line, "%s: has an empty value in it; leave the key out for none", k.name)
		}
		if err := s.set(k, list); err != nil {
			return nil, err
		}
		if k.name == "filters" {
			applies = slices.ContainsFunc(list, func(f string) bool { return slices.Contains(appliesTo, f) })
		}
	}
	if err := s.rights.Check(); err != nil {
		return nil, wrong(in.line, "%v", err)
	}
	if !applies {
		return nil, nil
	}
	err := s.setDir(in.name)
	return s, err
}

func (s *ruleSection) set(k iniKey, list []string) *FileError {
	switch k.name {
	case "name":
		return s.setName(k)
	case "ru":
		s.rights.RU = list
	case "rg":
		s.rights.RG = list
	case "wu":
		s.rights.WU = list
	case "wg":
		s.rights.WG = list
	default:
		return nil
	}
	if err := checkList(k.name, list); err != nil {
		return wrong(k.line, "%v", err)
	}
	return nil
}

// setName takes bar, bar/ and /bar/baz.
func (s *ruleSection) setName(k iniKey) *FileError {
	name := strings.TrimSuffix(strings.TrimPrefix(k.value, "/"), "/")
	if name == "" || path.Clean("/"+name) != "/"+name || strings.ContainsAny(name, `?#\`) {
		return wrong(k.line, "name: %q is not a path in URLs, such as bar", k.value)
	}
	s.name = name
	return nil
}

func (s *ruleSection) setDir(name string) *FileError {
	if first, _, _ := strings.Cut(name, "/"); first == Memory {
		s.dir, s.inMemory = path.Clean(name), true
		if s.dir != Memory && !strings.HasPrefix(s.dir, Memory+"/") {
			return wrong(s.line, "[%s] leads out of %s", name, Memory)
		}
		return nil
	}
	var err error
	if s.dir, err = filepath.Abs(name); err != nil {
		return wrong(s.line, "[%s]: %v", name, err)
	}
	return nil
}

// below returns the path of s within dir, with slashes, if it is below it.
func (s *ruleSection) below(dir string, inMemory bool) (rel string, ok bool) {
	if s.inMemory != inMemory {
		return "", false
	}
	sep := string(filepath.Separator)
	if inMemory {
		sep = "/"
	}
	rel, ok = strings.CutPrefix(s.dir, strings.TrimSuffix(dir, sep)+sep)
	return strings.ReplaceAll(rel, sep, "/"), ok && rel != ""
}

// commaList splits at commas; ok is false when a part is empty.
func commaList(text string) (list []string, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(part))
	}
	return list, !slices.Contains(list, "")
}
