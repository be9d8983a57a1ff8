package reqlog

import (
	"context"
	"fmt"
	"log/slog"
)

// Logger writes the short lines.
type Logger struct {
	filter Filter
	log    *slog.Logger
}

// NewLogger returns a Logger for what the filter lets through.
func NewLogger(f Filter, log *slog.Logger) *Logger { return &Logger{f, log} }

// Start notes a request that has come.
func (l *Logger) Start(e Entry) {
	if !l.filter.Start(e.Method) {
		return
	}
	attrs := []slog.Attr{slog.Int64("req", e.ID), slog.String("peer", e.Peer), slog.String("method", e.Method), slog.String("path", e.Path)}
	if e.Range != "" {
		attrs = append(attrs, slog.String("range", e.Range))
	}
	l.log.LogAttrs(context.Background(), slog.LevelInfo, "request start", attrs...)
}

// End notes what became of it.
func (l *Logger) End(e Entry) {
	if !l.filter.End(e.Method) {
		return
	}
	msg := "request done"
	if e.Aborted {
		msg = "request aborted"
	}
	l.log.LogAttrs(context.Background(), slog.LevelInfo, msg,
		slog.Int64("req", e.ID), slog.String("method", e.Method), slog.String("path", e.Path), slog.Int("status", e.Status),
		slog.Int64("bytes", e.Bytes), slog.Float64("ms", milliseconds(e)), slog.String("rate", rate(e)))
}

// Opened notes a file that is being written, Closed its end.
func (l *Logger) Opened(name string) { l.rec("opening file", name, nil) }

// Closed notes the end of a file; err is why it broke off.
func (l *Logger) Closed(name string, err error) { l.rec("closing file", name, err) }

func (l *Logger) rec(msg, name string, err error) {
	if !l.filter.Rec() {
		return
	}
	attrs := []slog.Attr{slog.String("file", name)}
	if err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	l.log.LogAttrs(context.Background(), slog.LevelInfo, msg, attrs...)
}

func milliseconds(e Entry) float64 { return float64(e.Duration.Microseconds()) / 1000 }

// rate is in bits per second, as a person reads it.
func rate(e Entry) string {
	if e.Duration <= 0 {
		return "0 bps"
	}
	bits := float64(e.Bytes) * 8 / e.Duration.Seconds()
	switch {
	case bits >= 1e6:
		return fmt.Sprintf("%.1f mbps", bits/1e6)
	case bits >= 1e3:
		return fmt.Sprintf("%.1f kbps", bits/1e3)
	}
	return fmt.Sprintf("%.0f bps", bits)
}
