package source

import (
	"bytes"
	"log/slog"
)

// mostLine is how much of a line that a command prints is logged.
const mostLine = 1000

// lines logs what is written, line by line. It belongs to one goroutine.
type lines struct {
	log  *slog.Logger
	line []byte // not yet ended
}

func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		l.line = append(l.line, line[:min(len(line), mostLine-len(l.line))]...)
		if ended {
			l.flush()
		}
		b = rest
	}
	return n, nil
}

// flush logs what has not ended.
func (l *lines) flush() {
	if line := bytes.TrimSpace(l.line); len(line) > 0 {
		l.log.Info("command says", "line", string(line))
	}
	l.line = l.line[:0]
}
