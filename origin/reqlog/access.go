package reqlog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the access log.
const (
	queued     = 4096
	flushEvery = time.Second
)

// Access writes a line of JSON for each request.
type Access struct {
	path    string // "" for a stream that is not ours to open
	entries chan Entry
	reopen  chan chan error
	ended   chan struct{}
	once    sync.Once
	lost    atomic.Int64
	log     *slog.Logger
}

// OpenAccess opens the file for appending; - is stdout. What goes wrong later
// is told to log.
func OpenAccess(path string, stdout io.Writer, log *slog.Logger) (*Access, error) {
	a := &Access{path: path, entries: make(chan Entry, queued), reopen: make(chan chan error), ended: make(chan struct{}), log: log}
	w := accessWriter{a: a}
	if path == "-" {
		a.path, w.out = "", bufio.NewWriter(stdout)
	} else if err := w.open(); err != nil {
		return nil, err
	}
	go w.run()
	return a, nil
}

// Log writes the entry down soon. It does not wait.
func (a *Access) Log(e Entry) {
	select {
	case a.entries <- e:
	default:
		a.lost.Add(1)
	}
}

// Lost returns how many entries found no room.
func (a *Access) Lost() int64 { return a.lost.Load() }

// Reopen opens the file anew, for who has moved it away.
func (a *Access) Reopen() error {
	done := make(chan error, 1)
	select {
	case a.reopen <- done:
		return <-done
	case <-a.ended:
		return nil
	}
}

// Close writes what there is. Log must not be called any more.
func (a *Access) Close() error {
	a.once.Do(func() { close(a.entries) })
	<-a.ended
	return nil
}

// accessWriter is owned by one goroutine.
type accessWriter struct {
	a    *Access
	file *os.File
	out  *bufio.Writer
	told bool // of a failure, since the last success
}

func (w *accessWriter) open() error {
	f, err := os.OpenFile(w.a.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	w.file, w.out = f, bufio.NewWriterSize(f, 64<<10)
	return nil
}

func (w *accessWriter) run() {
	defer close(w.a.ended)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	handler := slog.NewJSONHandler(writerFunc(func(p []byte) (int, error) { return w.out.Write(p) }), &slog.HandlerOptions{ReplaceAttr: plain})
	for {
		select {
		case e, ok := <-w.a.entries:
			if !ok {
				w.flush()
				w.closeFile()
				return
			}
			w.tell(handler.Handle(context.Background(), record(e)))
		case done := <-w.a.reopen:
			done <- w.renew()
		case <-tick.C:
			w.flush()
		}
	}
}

func (w *accessWriter) renew() error {
	if w.a.path == "" {
		return nil
	}
	w.flush()
	old := w.file
	if err := w.open(); err != nil {
		return err
	}
	return old.Close()
}

func (w *accessWriter) closeFile() {
	if w.file != nil {
		w.tell(w.file.Close())
	}
}

func (w *accessWriter) flush() { w.tell(w.out.Flush()) }

// tell logs the first failure after a success. A bufio.Writer that has failed
// stays so, and is made anew.
func (w *accessWriter) tell(err error) {
	if err == nil {
		w.told = false
		return
	}
	if !w.told {
		w.told = true
		w.a.log.Error("the access log cannot be written; lines are lost", "err", err)
	}
	if w.file != nil {
		w.out.Reset(w.file)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// plain leaves out what slog adds for messages to people.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

func record(e Entry) slog.Record {
	r := slog.NewRecord(e.Time.Round(time.Millisecond), slog.LevelInfo, "", 0)
	r.AddAttrs(slog.Int64("req", e.ID), slog.String("peer", e.Peer), slog.String("method", e.Method), slog.String("path", e.Path),
		slog.String("proto", e.Proto), slog.Bool("tls", e.TLS), slog.Int("status", e.Status), slog.Int64("bytes", e.Bytes),
		slog.Float64("duration_ms", milliseconds(e)), slog.String("mount", e.Mount))
	for _, o := range []struct{ key, value string }{{"user", e.User}, {"range", e.Range}, {"referer", e.Referer}, {"user_agent", e.UserAgent}} {
		if o.value != "" {
			r.AddAttrs(slog.String(o.key, o.value))
		}
	}
	if e.Aborted {
		r.AddAttrs(slog.Bool("aborted", true))
	}
	return r
}
