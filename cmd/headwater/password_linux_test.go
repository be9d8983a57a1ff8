package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/headwater-origin/headwater/origin/access"
)

// terminal is the far side of a pseudo-terminal: who types, and sees.
type terminal struct {
	t     *testing.T
	side  *os.File // of the person
	slave *os.File // of the program

	mu    sync.Mutex
	shown strings.Builder // guarded by mu
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	side, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(side.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(side.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, side: side, slave: slave}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(term, side) // until no program has the terminal
	}()
	t.Cleanup(func() {
		_ = slave.Close()
		<-read
		_ = side.Close()
	})
	return term
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown.Write(p)
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown.String()
}

func (t *terminal) waitFor(what string) {
	t.t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(t.text(), what); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.t.Fatalf("%q is not shown: %q", what, t.text())
		}
	}
}

func (t *terminal) typed(text string) {
	t.t.Helper()
	if _, err := t.side.WriteString(text); err != nil {
		t.t.Fatal(err)
	}
}

func (t *terminal) echoes() bool {
	t.t.Helper()
	state, err := unix.IoctlGetTermios(int(t.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// program starts the program at the terminal, as its foreground process. Its
// standard output leads elsewhere.
func (t *terminal) program(args ...string) (cmd *exec.Cmd, stdout, stderr *strings.Builder) {
	t.t.Helper()
	stdout, stderr = &strings.Builder{}, &strings.Builder{}
	cmd = exec.CommandContext(t.t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		t.t.Fatal(err)
	}
	return cmd, stdout, stderr
}

func TestPasswordAtATerminal(t *testing.T) {
	const secret = "päss wörd"
	for name, c := range map[string]struct {
		first, again string // as typed
		code         int
		err          string
	}{
		"the same twice":   {secret + "\n", secret + "\n", 0, ""},
		"with a carriage":  {secret + "\r", secret + "\r", 0, ""},
		"corrected":        {"x\x7f" + secret + "\n", secret + "\n", 0, ""},
		"all at once":      {secret + "\n" + secret + "\n", "", 0, ""},
		"ended in a line":  {secret + "\x04\x04", secret + "\n", 0, ""},
		"two that differ":  {secret + "\n", "other\n", 2, "the two passwords differ"},
		"nothing":          {"\n", "", 2, "no password given"},
		"the end":          {"\x04", "", 2, "no password given"},
		"nothing again":    {secret + "\n", "\n", 2, "no password given"},
		"too long":         {strings.Repeat("x", access.MaxPasswordBytes+1) + "\n", "", 2, "too long"},
		"Ctrl-C":           {"half\x03", "", 1, "interrupted"},
		"Ctrl-C when done": {secret + "\n", "half\x03", 1, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "users.yaml")
			term := newTerminal(t)
			if !term.echoes() {
				t.Fatal("the terminal does not echo to begin with")
			}
			cmd, stdout, stderr := term.program("user", "add", "alice", "--users", file)
			term.waitFor("Password: ")
			if term.echoes() {
				t.Error("what is typed is shown")
			}
			term.typed(c.first)
			if c.again != "" {
				term.waitFor("Again: ")
				term.typed(c.again)
			}
			err := cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(stderr.String(), c.err) || strings.Count(stderr.String(), "\n") > 1 {
				t.Errorf("code %d (%v), %q", code, err, stderr.String())
			}
			if !term.echoes() {
				t.Error("the terminal does not echo any more")
			}
			if out := stdout.String(); out != "" {
				t.Errorf("standard output has %q", out)
			}
			want := "Password: \r\n"
			if c.again != "" || name == "all at once" {
				want += "Again: \r\n"
			}
			if got := strings.ReplaceAll(term.text(), "^C", ""); got != want {
				t.Errorf("shown: %q, want %q", got, want)
			}
			a, err := access.ReadAccounts(file)
			if made := err == nil && a.HasUser("alice"); made != (c.code == 0) {
				t.Errorf("made: %v, %v", made, err)
			}
			if name != "corrected" && name != "all at once" {
				return // to check a password takes a while
			}
			users, err := access.OpenUsers(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = users.Close() }()
			if !users.Check(t.Context(), "alice", secret) {
				t.Error("it is another password")
			}
		})
	}
}

// What was typed too much does not reach whoever reads the terminal next.
func TestWhatIsTypedTooMuchIsForgotten(t *testing.T) {
	term := newTerminal(t)
	cmd, _, _ := term.program("user", "add", "alice", "--users", filepath.Join(t.TempDir(), "users.yaml"))
	term.waitFor("Password: ")
	term.typed("a\nb\nrm -r x\n")
	_ = cmd.Wait() // the two differ
	term.typed("next\n")
	buf := make([]byte, 100)
	if n, err := term.slave.Read(buf); err != nil || string(buf[:n]) != "next\n" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// A terminal that is open for reading only has its prompt on standard output.
func TestPromptOfATerminalThatCannotBeWritten(t *testing.T) {
	term := newTerminal(t)
	in, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", term.slave.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	var out strings.Builder
	term.typed("pw\npw\n")
	password, err := readPassword(env{ctx: t.Context(), stdin: in, stdout: &out})
	if err != nil || password != "pw" || out.String() != "Password: \nAgain: \n" {
		t.Errorf("%q, %v, %q", password, err, out.String())
	}
}

// Standard input that is no terminal is one line, asked for by nobody.
func TestPasswordFromAPipeOrAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	for text, want := range map[string]string{
		"pw": "pw", "pw\n": "pw", "pw\r\n": "pw", "pw\nmore\n": "pw", "p w\n": "p w",
		"": "", "\n": "", "\npw\n": "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.WriteString(text)
		_ = w.Close()
		for kind, f := range map[string]*os.File{"file": in, "pipe": r} {
			var out strings.Builder
			got, err := readPassword(env{ctx: t.Context(), stdin: f, stdout: &out})
			if got != want || (err == nil) != (want != "") || out.String() != "" {
				t.Errorf("%s with %q: %q, %v, prompt %q", kind, text, got, err, out.String())
			}
			_ = f.Close()
		}
	}
}
