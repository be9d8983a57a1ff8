package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// mostLogLine is how much of a line of a command's standard error is logged.
const mostLogLine = 1000

// afterExit bounds how long what a command left behind may keep its standard
// error open.
const afterExit = time.Second

// Command is an input that is a program's standard output. Its standard error
// goes to the log, line by line. The program and what it started are killed when
// the input is closed, and at the program's end.
type Command struct {
	// Argv are the program and its arguments.
	Argv []string
	// Log takes the standard error; nil: nowhere. New sets it to the relay's.
	Log *slog.Logger
}

// Traits is Input.Traits.
func (c *Command) Traits() Traits {
	return Traits{Name: "exec:" + c.Argv[0], Again: OnReopen, Retry: true}
}

// Open starts the program.
func (c *Command) Open(context.Context) (io.ReadCloser, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer closeQuietly(w)                         // the program has its own
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...) //nolint:noctx // Close kills it, with all that it started
	cmd.Stdout, cmd.WaitDelay = w, afterExit
	p := &process{cmd: cmd, out: r}
	if c.Log != nil {
		p.says = &lineLogger{log: c.Log.With("command", c.Argv[0])}
		cmd.Stderr = p.says
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		closeQuietly(r)
		return nil, err
	}
	return p, nil
}

// process is a program that runs, or has ended. Its life: running -> ended (its
// number is still its own) -> reaped.
type process struct {
	cmd  *exec.Cmd
	out  *os.File
	says *lineLogger // nil: unheard
	once sync.Once
	err  error // how it ended; set by once

	mu     sync.Mutex // guards reaped
	reaped bool       // the number may be another's
}

// Read returns io.EOF once the program has ended with status 0.
func (p *process) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if err != nil {
		err = endOfClosed(err)
		if exit := p.reap(); exit != nil {
			err = exit
		}
	}
	return n, err
}

// Close kills what still runs.
func (p *process) Close() error {
	p.kill()
	closeQuietly(p.out)
	_ = p.reap() // killed
	return nil
}

// kill ends the program's process group while its number is its own.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		killGroup(p.cmd)
	}
}

// reap waits for the program's end, kills what it left behind, and returns an
// error if it ended badly.
func (p *process) reap() error {
	p.once.Do(func() {
		if awaitExit(p.cmd) {
			p.kill()
		}
		p.mu.Lock()
		p.reaped = true
		p.mu.Unlock()
		err := p.cmd.Wait()
		if p.says != nil {
			p.says.flush()
		}
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			p.err = fmt.Errorf("the command ended: %w", err)
		}
	})
	return p.err
}

// lineLogger logs what is written, line by line.
type lineLogger struct {
	log  *slog.Logger
	line []byte // not yet ended
}

func (l *lineLogger) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		l.line = append(l.line, line[:min(len(line), mostLogLine-len(l.line))]...)
		if ended {
			l.flush()
		}
		b = rest
	}
	return n, nil
}

func (l *lineLogger) flush() {
	if line := bytes.TrimSpace(l.line); len(line) > 0 {
		l.log.Info("command says", "line", string(line))
	}
	l.line = l.line[:0]
}
