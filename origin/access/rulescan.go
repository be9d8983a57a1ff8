package access

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// iniSection is one [section] of a rule file, with its keys in order.
type iniSection struct {
	name string
	line int
	keys []iniKey
}

type iniKey struct {
	name, value string
	line        int
}

func (s *iniSection) key(name string) (iniKey, bool) {
	i := slices.IndexFunc(s.keys, func(k iniKey) bool { return k.name == name })
	if i < 0 {
		return iniKey{}, false
	}
	return s.keys[i], true
}

// scanINI splits a file into its sections. A line is empty, a comment (# or ;
// first), [section], or key=value; spaces around each part do not count.
func scanINI(data []byte) ([]iniSection, *FileError) {
	var sections []iniSection
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSpace(text)
		switch {
		case !utf8.ValidString(text):
			return nil, wrong(line, "not UTF-8")
		case strings.ContainsFunc(text, unicode.IsControl):
			return nil, wrong(line, "has a control character in it")
		case text == "" || text[0] == '#' || text[0] == ';':
		case text[0] == '[':
			name, ok := strings.CutSuffix(text[1:], "]")
			if name = strings.TrimSpace(name); !ok || name == "" {
				return nil, wrong(line, "a section is [DIRECTORY]")
			}
			sections = append(sections, iniSection{name: name, line: line})
		case len(sections) == 0:
			return nil, wrong(line, "stands before the first section; a section is [DIRECTORY]")
		default:
			if err := sections[len(sections)-1].add(text, line); err != nil {
				return nil, err
			}
		}
	}
	return sections, nil
}

func (s *iniSection) add(text string, line int) *FileError {
	name, value, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !ok {
		return wrong(line, "%q is neither key=value nor [DIRECTORY]", text)
	}
	if k, twice := s.key(name); twice {
		return wrong(line, "%s: stands in line %d already", name, k.line)
	}
	s.keys = append(s.keys, iniKey{name, strings.TrimSpace(value), line})
	return nil
}
