package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/cmd/headwater/internal/demo"
)

// How often the status is printed on a terminal, and elsewhere.
const (
	terminalEvery = 100 * time.Millisecond
	plainEvery    = 10 * time.Second
)

// terminalWidth is what every terminal has.
const terminalWidth = 79

// status prints where the demo channel is and how it does: first the URLs, then
// one line that is updated in place on a terminal, or a line now and then. It is
// used by one goroutine at a time.
type status struct {
	w        io.Writer
	base     string
	viewers  func() int
	terminal bool
	now      func() time.Time

	begun bool
	last  time.Time // of the last line
}

func newStatus(w io.Writer, base string, viewers func() int) *status {
	return &status{w: w, base: base, viewers: viewers, terminal: isTerminal(w), now: time.Now}
}

// update is a demo.Options.Progress. Its first call means that the manifests are
// there, so that is when the URLs are printed.
func (s *status) update(p demo.Progress) {
	if !s.begun {
		s.begun = true
		s.printURLs()
	}
	if p.ChunkDelay == 0 && p.Errors == 0 {
		return // nothing measured yet
	}
	every := plainEvery
	if s.terminal {
		every = terminalEvery
	}
	now := s.now()
	if !s.last.IsZero() && now.Sub(s.last) < every {
		return
	}
	s.last = now
	line := s.line(p)
	if s.terminal {
		// Back to the margin, the line, and clear what is left of the last one.
		fmt.Fprintf(s.w, "\r%.*s\x1b[K", terminalWidth, line)
		return
	}
	fmt.Fprintln(s.w, line)
}

// end leaves the cursor on a line of its own.
func (s *status) end() {
	if s.terminal && s.begun {
		fmt.Fprintln(s.w)
	}
}

func (s *status) printURLs() {
	fmt.Fprintf(s.w, "A live channel is on the air:\n\n  DASH  %[1]s/%[2]s\n  HLS   %[1]s/%[3]s\n\n  ffplay %[1]s/%[2]s\n\n",
		s.base, demo.MPDName, demo.MasterName)
}

func (s *status) line(p demo.Progress) string {
	line := fmt.Sprintf("segment %d  viewers %d  chunk delay %s", p.Segment, s.viewers(), roundDelay(p.ChunkDelay))
	if p.Errors > 0 {
		line += fmt.Sprintf("  errors %d", p.Errors)
	}
	if p.LastError != nil {
		line += " (" + strings.Join(strings.Fields(p.LastError.Error()), " ") + ")"
	}
	return line
}

// roundDelay leaves two or three figures.
func roundDelay(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// isTerminal takes any character device for a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
