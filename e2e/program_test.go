package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// debianPackage names the package that brings a program the tests use.
var debianPackage = map[string]string{
	"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "ffplay": "ffmpeg", "curl": "curl", "nginx": "nginx-light", "mpv": "mpv", "ip": "iproute2", "mount": "mount",
}

// need fails the test, in one line, when a program is not installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("the program %s is missing: apt-get install %s", p, debianPackage[p])
		}
	}
}

// plainEnv is the environment without proxies: everything here is on loopback.
func plainEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, kv)
		}
	}
	return append(env, "LC_ALL=C")
}

// output gathers what a program prints and wakes who waits for a line of it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer  // guarded by mu
	more chan struct{} // guarded by mu; closed and replaced at each write
}

func newOutput() *output { return &output{more: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(b)
	close(o.more)
	o.more = make(chan struct{})
	return n, err
}

// String returns everything printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) state() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

// child is a program the test started. It is dead at the latest when the test
// ends; where the system can, it also dies with the test's process.
type child struct {
	name     string
	cmd      *exec.Cmd
	out, err *output
	done     chan struct{} // closed once the program has ended and err is complete
	waitErr  error         // set before done is closed
}

// start runs a program with the given standard input, which may be nil and
// else must end by itself or be a file.
func start(t *testing.T, stdin io.Reader, name string, args ...string) *child {
	t.Helper()
	return startChild(t, stdin, nil, name, args...)
}

// startTo is start of a program whose standard output goes to a file.
func startTo(t *testing.T, stdout *os.File, name string, args ...string) *child {
	t.Helper()
	return startChild(t, nil, stdout, name, args...)
}

func startChild(t *testing.T, stdin io.Reader, stdout *os.File, name string, args ...string) *child {
	t.Helper()
	c := &child{name: name, cmd: exec.Command(name, args...), out: newOutput(), err: newOutput(), done: make(chan struct{})}
	c.cmd.Env, c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = plainEnv(), stdin, c.out, c.err
	if stdout != nil {
		c.cmd.Stdout = stdout
	}
	dieWithParent(c.cmd)
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(c.done)
		c.waitErr = c.cmd.Wait()
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() && c.err.String() != "" {
			t.Logf("%s %s\n%s", name, strings.Join(args, " "), tail(c.err.String(), 6000))
		}
	})
	return c
}

// tail returns the last n bytes of s.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "... " + s[len(s)-n:]
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

// kill ends the program by SIGKILL and waits for its end.
func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}

// freeze stops the program where it is; its connections stay open.
func (c *child) freeze() { c.signal(syscall.SIGSTOP) }

// wait returns the exit code, -1 when a signal ended the program. It fails the
// test when the program runs longer than the bound.
func (c *child) wait(t *testing.T, bound time.Duration) int {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(bound):
		c.kill()
		t.Fatalf("%s still ran after %v", c.name, bound)
	}
	return exitCode(c.waitErr)
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// waitLine waits until o holds n matches of re and returns their first groups.
func (c *child) waitLine(t *testing.T, o *output, re *regexp.Regexp, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		text, more := o.state()
		if m := re.FindAllStringSubmatch(text, -1); len(m) >= n {
			groups := make([]string, len(m))
			for i := range m {
				groups[i] = m[i][1]
			}
			return groups
		}
		select {
		case <-more:
		case <-c.done:
			if text, _ := o.state(); len(re.FindAllString(text, -1)) < n {
				t.Fatalf("%s ended (%v) before it printed %v:\n%s", c.name, c.waitErr, re, c.err)
			}
		case <-ctx.Done():
			t.Fatalf("%s did not print %v in %v:\n%s", c.name, re, patience, c.err)
		}
	}
}
