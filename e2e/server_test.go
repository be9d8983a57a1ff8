package e2e

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// listening is the line the server logs for each listener.
var listening = regexp.MustCompile(`msg=listening .*?url="?(https?://[^\s"]+)`)

// server is one running `headwater serve`.
type server struct {
	*child
	http, https string // base URLs without the last slash, "" for a listener that was not asked for
	ended       bool   // the test ended it
}

// serve starts the origin on a free port and waits until it listens. It is
// stopped at the test's end, and a crash, a data race or a bad exit is the
// test's failure.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	return serveFrom(t, nil, args...)
}

// serveFrom is serve with something on standard input.
func serveFrom(t *testing.T, stdin io.Reader, args ...string) *server {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "off"}, args...)
	s := &server{child: start(t, stdin, binary, args...)}
	listeners := 1
	if slices.Contains(args, "--listen-tls") {
		listeners = 2
	}
	for _, url := range s.waitLine(t, s.err, listening, listeners) {
		url = strings.TrimSuffix(url, "/")
		if strings.HasPrefix(url, "https:") {
			s.https = url
		} else {
			s.http = url
		}
	}
	t.Cleanup(func() { s.stop(t) })
	return s
}

// addr returns host:port of the plain listener.
func (s *server) addr() string { return strings.TrimPrefix(s.http, "http://") }

// crash ends the server by SIGKILL.
func (s *server) crash() {
	s.ended = true
	s.kill()
}

// stop ends the server the way systemd does, unless the test ended it before.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if !s.ended {
		s.ended = true
		select {
		case <-s.done:
			t.Errorf("the server ended by itself: %v", s.waitErr)
		default:
		}
		s.signal(syscall.SIGTERM)
		if code := s.wait(t, patience); code != 0 {
			t.Errorf("after SIGTERM the server's exit code is %d, want 0", code)
		}
	}
	for _, bad := range []string{"DATA RACE", "panic:", "panic serving", "fatal error:"} {
		if log := s.err.String(); strings.Contains(log, bad) {
			t.Errorf("the server's log holds %q:\n%s", bad, tail(log, 6000))
		}
	}
}
