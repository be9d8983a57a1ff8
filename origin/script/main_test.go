package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	HostMain()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if pids := children(); len(pids) > 0 {
			fmt.Println("processes are left:", pids)
			code = 1
		}
		os.Exit(code)
	}))
}

// buffer is a writer that many may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// lines are the lines that contain all of want.
func (b *buffer) lines(want ...string) (list []string) {
	for line := range strings.Lines(b.String()) {
		if containsAll(line, want...) {
			list = append(list, line)
		}
	}
	return list
}

func containsAll(s string, want ...string) bool {
	for _, w := range want {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

// rig is an engine with what it logs and prints.
type rig struct {
	*Engine
	t       *testing.T
	log     *buffer
	printed *buffer
}

// newRig runs a script of testdata, or a text with a line end in it. At the end
// of the test no process is left.
func newRig(t *testing.T, script string, set ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, log: &buffer{}, printed: &buffer{}}
	opt := Options{Path: scriptFile(t, script), Log: slog.New(slog.NewTextHandler(r.log, nil)), Print: r.printed}
	// A loaded machine is slow; no test but those of the bounds waits for it.
	opt.Time = 20 * time.Second
	for _, f := range set {
		f(&opt)
	}
	e, err := New(opt)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	r.Engine = e
	t.Cleanup(func() {
		pid := r.pid()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := syscall.Kill(pid, 0); pid != 0 && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is left: %v", pid, err)
		}
		if t.Failed() {
			t.Logf("log:\n%sprinted:\n%s", r.log, r.printed)
		}
	})
	return r
}

func scriptFile(t *testing.T, script string) string {
	t.Helper()
	if !strings.Contains(script, "\n") {
		return filepath.Join("testdata", script)
	}
	name := filepath.Join(t.TempDir(), "script.js")
	if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// children are the processes this one has started and that live.
func children() (pids []int) {
	names, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(names) == 0 {
		panic("no way to see child processes")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		for f := range strings.FieldsSeq(string(text)) {
			var pid int
			if _, err := fmt.Sscan(f, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// pid is the current child's, or 0.
func (r *rig) pid() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cur == nil {
		return 0
	}
	return r.cur.cmd.Process.Pid
}

func within(tm time.Duration) func(*Options) { return func(o *Options) { o.Time = tm } }

// get sends a GET for url and expects an answer.
func (r *rig) get(url string) *Answer {
	r.t.Helper()
	return r.send(Request{Method: "GET", URL: url})
}

func (r *rig) send(req Request) *Answer {
	r.t.Helper()
	a, err := r.Request(r.t.Context(), req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	return a
}

// fails sends a GET and expects err.
func (r *rig) fails(url string, want error) {
	r.t.Helper()
	if _, err := r.Request(r.t.Context(), Request{Method: "GET", URL: url}); !errors.Is(err, want) {
		r.t.Errorf("GET %s: %v, want %v", url, err, want)
	}
}

// eventually waits for what takes a while.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// readAll reads an answer to its end.
func readAll(t *testing.T, a *Answer) (string, error) {
	t.Helper()
	var b bytes.Buffer
	p := make([]byte, 1000)
	for {
		n, err := a.Read(t.Context(), p)
		b.Write(p[:n])
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}
