package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// helperVar makes the test binary a program that gives standard input to its
// standard output.
const helperVar = "SOURCE_TEST_HELPER"

func helper() int {
	o, err := New(Options{Stdout: os.Stdout, Timeout: bound})
	if err != nil {
		return 2
	}
	err = o.Take(context.Background(), Upload{Name: "stdin", Length: -1}, os.Stdin)
	_ = o.Close(context.Background())
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error())
		return 3
	}
	return 0
}

// blockingPipe returns a pipe whose writing end is like an inherited standard
// output: it has no deadlines.
func blockingPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	wantNil(t, err)
	_ = w.Fd() // makes it blocking
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	return r, w
}

// TestStdout: uploads come one after the other, and one that breaks off is told of
// in the log.
func TestStdout(t *testing.T) {
	big := strings.Repeat("0123456789", 50_000)
	for name, of := range map[string]func() (io.Writer, func() string){
		"pipe": func() (io.Writer, func() string) {
			r, w := blockingPipe(t)
			got := make(chan string)
			go func() { b, _ := io.ReadAll(r); got <- string(b) }()
			return w, func() string { _ = w.Close(); return <-got }
		},
		"non-blocking pipe": func() (io.Writer, func() string) {
			r, w, err := os.Pipe()
			wantNil(t, err)
			got := make(chan string)
			go func() { b, _ := io.ReadAll(r); _ = r.Close(); got <- string(b) }()
			return w, func() string { _ = w.Close(); return <-got }
		},
		"file": func() (io.Writer, func() string) {
			f, err := os.Create(t.TempDir() + "/out")
			wantNil(t, err)
			return f, func() string { _ = f.Close(); return content(t, f.Name()) }
		},
		"connection": func() (io.Writer, func() string) {
			a, b := net.Pipe()
			got := make(chan string)
			go func() { text, _ := io.ReadAll(b); _ = b.Close(); got <- string(text) }()
			return a, func() string { _ = a.Close(); return <-got }
		},
		"writer": func() (io.Writer, func() string) {
			var b bytes.Buffer
			return &b, b.String
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, text := of()
			o, log := open(t, Options{Stdout: w})
			wantNil(t, o.Take(t.Context(), upload("a"), strings.NewReader(big)))
			k := take(t, o, upload("b"))
			k.write("half")
			wantBody(t, k.ends(errBody), errBody)
			wantNil(t, o.Take(t.Context(), upload("c"), strings.NewReader("last")))
			if got := text(); got != big+"halflast" {
				t.Errorf("%d bytes came", len(got))
			}
			if !strings.Contains(log.String(), "broke off") {
				t.Errorf("the log does not tell:\n%s", log)
			}
		})
	}
}

// TestStdoutIsTooSlow: whoever reads it is cut, or waited for; and gone when the
// sender or the program is.
func TestStdoutIsTooSlow(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	t.Run("cut", func(t *testing.T) {
		_, w := blockingPipe(t)
		_, err := w.WriteString("x") // a pipe has room then, but not for a whole block
		wantNil(t, err)
		o, _ := open(t, Options{Stdout: w, Timeout: short})
		wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader(big)), "took nothing")
	})
	t.Run("connection cut", func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		o, _ := open(t, Options{Stdout: a, Timeout: short})
		wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader(big)), "took nothing")
	})
	t.Run("blockio", func(t *testing.T) {
		r, w := blockingPipe(t)
		o, _ := open(t, Options{Stdout: w, Timeout: short, BlockIO: true})
		result := make(chan error, 1)
		go func() { result <- o.Take(context.Background(), upload("a"), strings.NewReader(big)) }()
		select {
		case err := <-result:
			t.Fatalf("cut all the same: %v", err)
		case <-time.After(3 * short):
		}
		_, err := io.CopyN(io.Discard, r, 1<<20)
		wantNil(t, err)
		wantNil(t, <-result)
	})
	t.Run("closed", func(t *testing.T) {
		_, w := blockingPipe(t)
		o, _ := open(t, Options{Stdout: w, BlockIO: true})
		result := make(chan error, 1)
		go func() { result <- o.Take(context.Background(), upload("a"), strings.NewReader(big+big)) }()
		eventually(t, "begin", func() bool { return o.Stats().Active == 1 })
		shut(t, o)
		wantBody(t, <-result, ErrClosed)
	})
}

// late is an output whose deadline is moved just after a write was interrupted.
type late struct {
	interrupted chan struct{}
	writes      int
}

func (l *late) SetWriteDeadline(at time.Time) error {
	if at.Equal(longAgo) {
		close(l.interrupted)
	} else {
		<-l.interrupted
	}
	return nil
}

func (l *late) Write(p []byte) (int, error) {
	l.writes++
	return len(p), nil
}

// TestInterruptIsNotLost: a write that is interrupted before it begins does not
// begin.
func TestInterruptIsNotLost(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBody)
	l := &late{interrupted: make(chan struct{})}
	w := timed{ctx: ctx, to: l, max: bound}
	if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, errBody) || l.writes != 0 {
		t.Errorf("%d bytes in %d writes: %v", n, l.writes, err)
	}
}

// TestStdoutWithoutReader: that the reader of the real standard output has gone is
// an error, not this program's death.
func TestStdoutWithoutReader(t *testing.T) {
	r, w, err := os.Pipe()
	wantNil(t, err)
	_ = r.Close()
	defer func() { _ = w.Close() }()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperVar+"=1")
	var says strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("x"), w, &says
	_ = cmd.Run()
	if cmd.ProcessState.ExitCode() != 3 || !strings.Contains(says.String(), "output stdout: broken pipe") {
		t.Errorf("%v: %s", cmd.ProcessState, says.String())
	}
}
