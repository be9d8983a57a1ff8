package script

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
)

// A printer hands on what the script prints, in a goroutine of its own, so that
// a slow log holds up no request. What it cannot take is dropped and counted.
type printer struct {
	lines   chan printMsg
	dropped atomic.Int64
	stop    chan struct{} // closed by close
	done    chan struct{} // closed when its goroutine has ended
}

// printQueue is the number of lines that may wait.
const printQueue = 512

func newPrinter(w io.Writer, log *slog.Logger) *printer {
	p := &printer{lines: make(chan printMsg, printQueue), stop: make(chan struct{}), done: make(chan struct{})}
	go p.run(w, log)
	return p
}

// print takes a line if there is room for it.
func (p *printer) print(m printMsg) {
	select {
	case p.lines <- m:
	default:
		p.dropped.Add(1)
	}
}

// close ends the printer once it has written what waits.
func (p *printer) close() {
	close(p.stop)
	<-p.done
}

func (p *printer) run(w io.Writer, log *slog.Logger) {
	defer close(p.done)
	for {
		select {
		case m := <-p.lines:
			p.write(w, log, m)
		case <-p.stop:
			for len(p.lines) > 0 {
				p.write(w, log, <-p.lines)
			}
			return
		}
	}
}

func (p *printer) write(w io.Writer, log *slog.Logger, m printMsg) {
	if n := p.dropped.Swap(0); n > 0 {
		log.Warn("the script prints faster than the log takes it", "lines_dropped", n)
	}
	if w == nil {
		log.Log(context.Background(), m.slogLevel(), "the script prints", "text", m.text)
		return
	}
	if _, err := w.Write([]byte(m.text + "\n")); err != nil {
		log.Warn("writing what the script prints", "err", err)
	}
}

// The levels of httpout's print.
const (
	levelError = 1
	levelWarn  = 2
	levelInfo  = 3
	levelDebug = 4
)

func (m printMsg) slogLevel() slog.Level {
	switch {
	case m.level <= levelError:
		return slog.LevelError
	case m.level == levelWarn:
		return slog.LevelWarn
	case m.level == levelInfo:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// oneLine is text without line ends and other control characters, cut where it
// has n bytes.
func oneLine(text string, n int) string {
	var b strings.Builder
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			r = ' '
		}
		if b.Len() >= n {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
