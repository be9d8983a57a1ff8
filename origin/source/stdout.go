package source

import (
	"context"
	"io"
	"os"
)

// stdout is standard output, or what the caller takes for it.
type stdout struct{ to io.Writer }

func (o *stdout) name() string              { return "stdout" }
func (o *stdout) key(Upload) (string, bool) { return "", true }
func (o *stdout) close() error              { return nil }

func (o *stdout) open(t *transfer) (sink, error) {
	most := t.o.opt.patience()
	switch to := o.to.(type) {
	case *os.File:
		return stdoutSink{newPolled(t.ctx, to, most)}, nil
	case deadliner:
		return stdoutSink{&timed{ctx: t.ctx, to: to, max: most}}, nil
	}
	return stdoutSink{unbounded{t.ctx, o.to}}, nil
}

// stdoutSink is one upload. What breaks off there has no sign: the log tells.
type stdoutSink struct{ io.Writer }

func (stdoutSink) finish() error { return nil }
func (stdoutSink) abort()        {}

// unbounded writes to what cannot be interrupted.
type unbounded struct {
	ctx context.Context
	to  io.Writer
}

func (w unbounded) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	return w.to.Write(p)
}
