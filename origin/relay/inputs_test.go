package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// aPipe makes a named pipe.
func aPipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dialer returns how to reach an input that tells where it is bound.
func dialer(t *testing.T, network string, at <-chan net.Addr) func() io.WriteCloser {
	return func() io.WriteCloser {
		c, err := net.Dial(network, (<-at).String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// TestInputs: each input gives its listeners what its far end sends, and what a
// second far end sends after the first is gone.
func TestInputs(t *testing.T) {
	pipe, tcp, udp := aPipe(t), make(chan net.Addr, 9), make(chan net.Addr, 9)
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	bound := func(to chan net.Addr) func(net.Addr) { return func(a net.Addr) { to <- a } }
	for name, c := range map[string]struct {
		in    Input
		far   func() io.WriteCloser
		again bool
	}{
		"fifo": {&FIFO{Path: pipe}, func() io.WriteCloser {
			f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}, true},
		"tcp listen": {&TCPListen{Address: "127.0.0.1:0", bound: bound(tcp)}, dialer(t, "tcp", tcp), true},
		"tcp": {TCP{Address: server.Addr().String()}, func() io.WriteCloser {
			c, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			return c
		}, true},
		"udp": {UDP{Address: "127.0.0.1:0", bound: bound(udp)}, dialer(t, "udp", udp), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTest(Options{}, c.in)
			start(t, r)
			l := read(t, join(t, r))
			text := ""
			for _, line := range []string{"Kone\n", "Ktwo\n"} {
				far := c.far()
				text += line
				send(t, r, far, line)
				l.until(text)
				_ = far.Close()
				if !c.again {
					break
				}
			}
		})
	}
}

// TestRTP: headers around a datagram are taken off.
func TestRTP(t *testing.T) {
	at := make(chan net.Addr, 1)
	r := newTest(Options{}, UDP{Address: "127.0.0.1:0", bound: func(a net.Addr) { at <- a }})
	start(t, r)
	l := read(t, join(t, r))
	far := dialer(t, "udp", at)()
	defer far.Close()
	packet := "\x80\x21\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	ts := "\x47" + strings.Repeat("t", packetSize-2) + "\n"
	_, _ = io.WriteString(far, packet+ts)
	_, _ = io.WriteString(far, "Kplain\n")
	l.until("Kplain\n") // the packet is no clean frame, so nobody begins with it
	if got := r.BytesIn(); got != int64(len(ts)+len("Kplain\n")) {
		t.Errorf("%d bytes in", got)
	}
}

// TestCommand: a program's output, its end, its failure, and its being killed
// with all that it started.
func TestCommand(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
		fails        bool
	}{
		"ends":  {"echo K1; echo K2", "K1\nK2\n", false},
		"fails": {"echo K1; exit 3", "K1\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := (&Command{Argv: []string{"sh", "-c", c.script}}).Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			got, err := io.ReadAll(in)
			if string(got) != c.want || (err != nil) != c.fails {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	in, err := (&Command{Argv: []string{"sh", "-c", "sleep 1000 & echo $!; wait"}}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid := make([]byte, 20)
	n, _ := in.Read(pid)
	in.Close()
	in.Close()
	eventually(t, "what it started is gone", func() bool {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(pid[:n]))).Output()
		return err != nil || strings.HasPrefix(string(state), "Z")
	})
	if _, err := (&Command{Argv: []string{"/no/such/program"}}).Open(t.Context()); err == nil {
		t.Error("no error without a program")
	}
}

// TestStdin ends a read under way without closing the file, which others have.
func TestStdin(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	in, err := Stdin{File: r}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "text")
	buf := make([]byte, 10)
	if n, err := in.Read(buf); string(buf[:n]) != "text" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	ended := make(chan error)
	go func() { _, err := in.Read(buf); ended <- err }()
	in.Close()
	if err := <-ended; !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	_, _ = io.WriteString(w, "more")
	if n, err := r.Read(buf); string(buf[:n]) != "more" || err != nil {
		t.Errorf("the file itself: %q, %v", buf[:n], err)
	}
}

// TestOpenEnds: an input that waits for its far end stops with the context.
func TestOpenEnds(t *testing.T) {
	for name, in := range map[string]Input{"fifo": &FIFO{Path: aPipe(t)}, "tcp": &TCPListen{Address: "127.0.0.1:0"}} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { _, err := in.Open(ctx); ended <- err }()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&FIFO{Path: plain}).Open(t.Context()); err == nil || !strings.Contains(err.Error(), "not a named pipe") {
		t.Error(err)
	}
}

func TestParseInput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.ts")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"-": "-", file: file, "file:" + file: file, "fifo:/later": "/later",
		"tcp://127.0.0.1:5000": "tcp://127.0.0.1:5000", "tcp://:5000?listen": "tcp://:5000?listen",
		"udp://@239.0.0.1:5000?iface=lo": "udp://239.0.0.1:5000", "rtp://127.0.0.1:5004": "udp://127.0.0.1:5004",
		"exec:ffmpeg -i 'a b' -": "exec:ffmpeg",
	} {
		in, err := ParseInput(text)
		if err != nil || in.Traits().Name != want {
			t.Errorf("%s: %v, %v", text, in, err)
		}
	}
	for text, want := range map[string]string{
		"": "empty", dir: "directory", "/no/such": "no such file", "tcp://x": "host:port", "tcp://:5000": "listen",
		"udp://h:0": "not a port", "udp://h:5?a=b": "unknown option", "srt://h:5": "not one of", "exec:": "no command", "exec:a 'b": "no end",
		"exec:no-such-program -x": "not found", "udp://127.0.0.1:5000?iface=lo": "not", "./no/such://file": "no such file",
	} {
		if _, err := ParseInput(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	in, _ := ParseInput(`exec:sh 'b c' "d" e`)
	if c := in.(*Command); len(c.Argv) != 4 || c.Argv[1] != "b c" {
		t.Errorf("%q", c.Argv)
	}
}

func FuzzParseInput(f *testing.F) {
	f.Add("exec:a 'b c' \"d\"")
	f.Add("tcp://[::1]:80?listen")
	f.Fuzz(func(t *testing.T, text string) {
		if in, err := ParseInput(text); err == nil && in != nil && in.Traits().Name == "" {
			t.Error("no name")
		}
	})
}
