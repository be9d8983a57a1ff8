package script

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const waits = `httpout.on_request = (req) => { print('got', req.url); if (req.url === '/now') req.send(); }
`

// asked sends n requests the script does not answer, and returns their errors
// once it has them all.
func (r *rig) asked(n int) <-chan error {
	got := make(chan error, n)
	for i := range n {
		go func() {
			_, err := r.Request(r.t.Context(), Request{Method: "GET", URL: "/wait" + strconv.Itoa(i)})
			got <- err
		}()
	}
	eventually(r.t, "the script has all requests", func() bool { return len(r.printed.lines("got /wait")) == n })
	return got
}

// TestKilled kills the child while requests wait.
func TestKilled(t *testing.T) {
	r := newRig(t, waits)
	got := r.asked(20)
	pid := r.pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := <-got; err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("%v", err)
		}
	}
	r.get("/now")
	if r.pid() == pid {
		t.Error("the process is the same")
	}
	if got := r.log.lines("level=ERROR"); len(got) != 1 || !strings.Contains(got[0], "requests=20") {
		t.Errorf("logged: %s", r.log)
	}
}

// TestKilledInCallback kills the child under an answer.
func TestKilledInCallback(t *testing.T) {
	r := newRig(t, "read.js")
	a := r.get("/")
	if err := syscall.Kill(r.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, a); err == nil {
		t.Error("read to the end")
	}
	a.Done(nil)
	r.get("/")
}

// TestStopped stops the child, which then is silent.
func TestStopped(t *testing.T) {
	r := newRig(t, waits, func(o *Options) { o.patience = 3 * time.Second })
	got := r.asked(1)
	pid := r.pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := <-got; !errors.Is(err, ErrTime) {
		t.Errorf("%v", err)
	}
	r.get("/now")
	if len(r.log.lines("level=ERROR")) != 1 || r.log.lines("process has ended", "silent") == nil {
		t.Errorf("logged: %s", r.log)
	}
}

// TestIdleIsNotSilent has a child live without a request.
func TestIdleIsNotSilent(t *testing.T) {
	r := newRig(t, waits, func(o *Options) { o.patience = 3 * time.Second })
	pid, p := r.pid(), r.cur
	last := p.heard.Load()
	eventually(t, "answers to pings over the bound", func() bool {
		return time.Duration(p.heard.Load()-last) > 4*time.Second
	})
	r.get("/now")
	if r.pid() != pid || r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

// TestBackoff kills each child as soon as it is there: they come ever later.
func TestBackoff(t *testing.T) {
	r := newRig(t, waits)
	for range 4 {
		if err := syscall.Kill(r.pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		last := r.pid()
		eventually(t, "another process", func() bool { pid := r.pid(); return pid != 0 && pid != last })
	}
	for i, want := range []string{"20ms", "40ms", "80ms", "160ms"} {
		if got := r.log.lines("level=ERROR"); !strings.Contains(got[i], "restart_in="+want) {
			t.Errorf("%d: %s", i, got[i])
		}
	}
}

func TestClose(t *testing.T) {
	r := newRig(t, waits)
	got := r.asked(3)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := <-got; !errors.Is(err, ErrStopped) {
			t.Errorf("%v", err)
		}
	}
	r.fails("/now", ErrStopped)
	if pids := children(); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
	if r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

// TestCloseWhileRestarting closes an engine that has no process.
func TestCloseWhileRestarting(t *testing.T) {
	r := newRig(t, waits)
	for i := range 5 {
		pid := r.pid()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its end", func() bool { return len(r.log.lines("process has ended")) == i+1 })
		if i < 4 {
			eventually(t, "another process", func() bool { return r.pid() != 0 && r.pid() != pid })
		}
	}
	got := make(chan error)
	go func() {
		_, err := r.Request(t.Context(), Request{Method: "GET", URL: "/now"})
		got <- err
	}()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil && !errors.Is(err, ErrStopped) {
		t.Errorf("%v", err)
	}
}

// TestSealed is what a child has of its parent's: nothing.
func TestSealed(t *testing.T) {
	t.Setenv("HEADWATER_TEST_SECRET", "hunter2")
	t.Setenv("TZ", "Asia/Kathmandu")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close() //nolint:errcheck // only a copy
	// As one that a service manager has handed to the parent.
	inherited, err := unix.Dup(int(raw.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited) //nolint:errcheck // only a copy

	r := newRig(t, `httpout.on_request = (req) => { req.reply = 200; req.body = String(new Date(0).getTimezoneOffset()); req.send(); }
`)
	dir := "/proc/" + strconv.Itoa(r.pid())
	names, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		to, err := os.Readlink(filepath.Join(dir, "fd", n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		standard := slices.Contains([]string{"0", "1", "2"}, n.Name()) && strings.HasPrefix(to, "pipe:")
		if !standard && !strings.HasPrefix(to, "anon_inode:[event") {
			t.Errorf("the child has descriptor %s, %s", n.Name(), to)
		}
	}
	env, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil {
		t.Fatal(err)
	}
	want := marker + "=1\x00GOMAXPROCS=2\x00GOTRACEBACK=none\x00TZ=Asia/Kathmandu\x00"
	if string(env) != want {
		t.Errorf("the environment is %q, want %q", env, want)
	}
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		zone = time.UTC // the machine knows no zones, and the child no better
	}
	_, seconds := time.Unix(0, 0).In(zone).Zone()
	if a := r.get("/"); a.Body != strconv.Itoa(-seconds/60) {
		t.Errorf("the script's time zone is %s minutes from UTC, want %d", a.Body, -seconds/60)
	}
}

// TestSignalsAreTheParents sends those that a terminal or a service manager
// sends to all processes.
func TestSignalsAreTheParents(t *testing.T) {
	r := newRig(t, waits)
	pid := r.pid()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	r.get("/now")
	if r.pid() != pid || r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

// TestParentDies starts a parent that has a child, and kills it.
func TestParentDies(t *testing.T) {
	if os.Getenv("SCRIPT_TEST_PARENT") != "" {
		parent(t)
		return
	}
	for _, state := range []string{"idle", "looping", "stopped"} {
		t.Run(state, func(t *testing.T) {
			cmd, child := startParent(t, state)
			if state == "stopped" {
				if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait() //nolint:errcheck // it was killed
			eventually(t, "the child's end", func() bool { return gone(child) })
		})
	}
}

// gone says whether a process that was no child of this one has ended.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// TestSlowPrinter has no request wait for who takes what is printed.
func TestSlowPrinter(t *testing.T) {
	hold := make(chan struct{})
	r := newRig(t, `httpout.on_request = (req) => { for (let i = 0; i < 2000; i++) print('line', i); req.send(); }
`, func(o *Options) { o.Print = heldWriter(hold) })
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { r.get("/") })
	}
	all.Wait()
	close(hold)
	eventually(t, "the loss is logged", func() bool { return r.log.lines("level=WARN", "lines_dropped=") != nil })
}

type heldWriter chan struct{}

func (h heldWriter) Write(p []byte) (int, error) {
	<-h
	return len(p), nil
}

func TestCloseIsBounded(t *testing.T) {
	hold := make(chan struct{})
	r := newRig(t, waits, func(o *Options) { o.Print = heldWriter(hold) })
	r.get("/now")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(hold)
}
