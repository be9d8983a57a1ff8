package access

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// FileError is one thing that is wrong with a users file or a rule file. Its
// text is one line, file:line: what is wrong.
type FileError struct {
	File string // as it was given
	Line int    // 1 is the first; 0 means not known
	Msg  string
}

// Error returns the text, such as
// "rules.ini:3: ru: name \"a:b\" has a colon or a comma in it".
func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, oneLine(e.Msg))
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, oneLine(e.Msg))
}

func wrong(line int, format string, args ...any) *FileError {
	return &FileError{Line: line, Msg: fmt.Sprintf(format, args...)}
}

// oneLine joins the lines of s and puts ? for what cannot be seen in a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// maxFileBytes caps what is read of a users file or a rule file.
const maxFileBytes = 1 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, &FileError{File: path, Msg: fmt.Sprintf("larger than %d bytes", maxFileBytes)}
	}
	return data, nil
}
