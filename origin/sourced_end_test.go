package origin

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/headwater-origin/headwater/origin/source"
)

// TestSourceSenderMayGo: who has sent all of an upload need not wait for the
// output, which keeps what it has.
func TestSourceSenderMayGo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := start(t, withSource(Source{Exec: []string{"sh", "-c", `cat >"$0"`, out}}))
	ctx, gone := context.WithCancel(t.Context())
	gone()
	loopback := netip.MustParseAddr("127.0.0.1")
	req := &request{method: http.MethodPut, path: "/a.ts", header: http.Header{}, direct: loopback, peer: loopback}
	// As in net/http, the end comes with the last bytes.
	body := iotest.DataErrReader(strings.NewReader("all of it"))
	up := &upload{body: body, length: 9, setDeadline: func(time.Time) error { return nil }}
	rep, err := s.mounts[0].give(ctx, req, "a.ts", up)
	if err != nil || rep.status != http.StatusCreated {
		t.Fatalf("%+v, %v", rep, err)
	}
	mustHold(t, out, "all of it")
}

// TestSourceFailuresAreLoggedOnce: what fails, or breaks off, is one line.
func TestSourceFailuresAreLoggedOnce(t *testing.T) {
	log := new(syncBuffer)
	s := startLogging(t, log, withSource(Source{Exec: []string{"sh", "-c", `read -r line; [ "$line" = good ] && cat >/dev/null`}}))
	if a := s.do("PUT", "/a.ts", "bad\n"); a.StatusCode != http.StatusBadGateway {
		t.Fatal(a.Status)
	}
	up := s.upload("/b.ts")
	up.chunk("good\n")
	eventually(t, "it is under way", func() bool { return s.Stats().Uploads == 1 })
	_ = up.Close()
	eventually(t, "it is over", func() bool { return s.Stats().Uploads == 0 })
	for _, name := range []string{"a.ts", "b.ts"} {
		eventually(t, name+" is in the log", func() bool { return atLevel(log, "DEBUG", "path=/"+name) == 1 })
		if n := atLevel(log, "WARN", name) + atLevel(log, "ERROR", name); n != 1 {
			t.Errorf("%s is in the log %d times:\n%s", name, n, log)
		}
	}
	if got := counterValue(t, s.mounts[0].metrics.uploadFailed); got != 2 {
		t.Errorf("%v uploads have failed", got)
	}
}

// TestSourceIsClosed: that the server stops is not the sender's fault.
func TestSourceIsClosed(t *testing.T) {
	s := start(t, withSource(Source{Exec: []string{"cat"}}))
	for _, err := range []error{source.ErrClosed, &source.BodyError{Err: source.ErrClosed}} {
		if e := asHTTPError(s.mounts[0].sourceError(err)); e.status != http.StatusServiceUnavailable || !e.close {
			t.Errorf("%v: %d", err, e.status)
		}
	}
}

// TestStoppingEndsCommands: a command that does not end by itself, nor by
// SIGTERM, does not outlive the server.
func TestStoppingEndsCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	cfg := loopbackConfig()
	withSource(Source{Exec: []string{"sh", "-c", `trap "" TERM; cat >/dev/null; echo $$ >"$0.new"; mv "$0.new" "$0"; while :; do sleep 1; done`, file}})(&cfg)
	s, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.grace = 50 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ts := &testServer{Server: s, t: t, url: s.URLs()[0]}
	c := ts.dial()
	c.send("PUT /a.ts HTTP/1.1", "Host: origin", "Content-Length: 1", "", "x")
	var pid int
	eventually(t, "the command has the upload", func() bool {
		text, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0
	})
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run waits for the command")
	}
	if p, err := os.FindProcess(pid); err == nil && p.Signal(syscall.Signal(0)) == nil {
		t.Errorf("process %d is left", pid)
	}
}
