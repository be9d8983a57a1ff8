package folder

import (
	"errors"
	"log/slog"
)

// mostNoted bounds the things that are remembered to have been logged.
const mostNoted = 1000

// notes logs each thing once.
type notes struct {
	log  *slog.Logger
	seen map[string]struct{}
}

func newNotes(log *slog.Logger) *notes {
	return &notes{log: log, seen: make(map[string]struct{})}
}

// once logs the line unless it did for this key. After mostNoted keys it says
// so and is silent.
func (n *notes) once(key, line string, args ...any) {
	if _, known := n.seen[key]; known || len(n.seen) > mostNoted {
		return
	}
	n.seen[key] = struct{}{}
	if len(n.seen) > mostNoted {
		n.log.Warn("watched folder: too many different files were skipped; further ones are not logged")
		return
	}
	n.log.Warn(line, args...)
}

// skipped logs a name that is not taken.
func (n *notes) skipped(file string, why error) {
	n.once("name "+file, "watched folder: file skipped", "file", file, "err", why)
}

// broken logs a file that did not become whole.
func (n *notes) broken(file string, why error) {
	n.once("broken "+file, "watched folder: file is not whole", "file", file, "err", why)
}

// refused logs that the store does not take files, once for each cause.
func (n *notes) refused(file string, err error) {
	n.once("cause "+rootCause(err).Error(), "watched folder: the store refused a file; others of the same cause are not logged", "file", file, "err", err)
}

// rootCause returns the innermost error: what is around it names the file.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
