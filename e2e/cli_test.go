package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBadCommandLine gives what can't be meant. The answer is one line that
// names the culprit, exit code 2, and nothing started.
func TestBadCommandLine(t *testing.T) {
	t.Parallel()
	cert, _ := selfSigned(t)
	cases := []struct {
		name  string
		args  []string
		names string // what the line must contain
	}{
		{"unknown flag", []string{"serve", "--lisen", ":0"}, "--lisen"},
		{"unknown command", []string{"sevre"}, "sevre"},
		{"address without a port", []string{"serve", "--listen", "127.0.0.1"}, "listen"},
		{"not a size", []string{"serve", "--listen", "127.0.0.1:0", "--maxs", "many"}, "maxs"},
		{"not a duration", []string{"serve", "--listen", "127.0.0.1:0", "--upload-timeout", "soon"}, "upload-timeout"},
		{"not a number", []string{"serve", "--listen", "127.0.0.1:0", "--max-cache-segs", "few"}, "max-cache-segs"},
		{"TLS without a certificate", []string{"serve", "--listen-tls", "127.0.0.1:0"}, "cert"},
		{"certificate without its key", []string{"serve", "--listen-tls", "127.0.0.1:0", "--cert", cert}, "pkey"},
		{"no such config file", []string{"serve", "--config", "/no/such/headwater.yaml"}, "/no/such/headwater.yaml"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) { mustBeRefused(t, k.args, k.names) })
	}
}

// mustBeRefused wants exit code 2 and one line on standard error.
func mustBeRefused(t *testing.T, args []string, names ...string) {
	t.Helper()
	c := start(t, nil, binary, args...)
	code := c.wait(t, patience)
	said := strings.TrimSuffix(c.err.String(), "\n")
	if code != 2 || said == "" || strings.Contains(said, "\n") || c.out.String() != "" {
		t.Errorf("exit code %d, want 2 and one line on standard error only:\n%s%s", code, said, c.out)
	}
	for _, n := range names {
		if !strings.Contains(said, n) {
			t.Errorf("the line does not name %q: %s", n, said)
		}
	}
}

// TestBadConfig does the same with configuration files, where the line of the
// file must be named too.
func TestBadConfig(t *testing.T) {
	t.Parallel()
	const good = "listen: [\"127.0.0.1:0\"]\nadmin: \"off\"\n"
	cases := []struct {
		name, text string
		names      []string
	}{
		{"unknown key", good + "mounts:\n  - {path: /live, store: gmem, writ: true}\n", []string{"writ", "headwater.yaml:4"}},
		{"unknown key at the top", good + "mount: []\n", []string{"mount", "headwater.yaml:3"}},
		{"wrong type", good + "mounts:\n  - path: /live\n    store: gmem\n    max_cache_segs: few\n", []string{"max_cache_segs", "headwater.yaml:6"}},
		{"path without a slash", good + "mounts:\n  - {path: live, store: gmem}\n", []string{"live"}},
		{"two mounts at one path", good + "mounts:\n  - {path: /a, store: gmem}\n  - {path: /a, store: gmem}\n", []string{"/a"}},
		{"no YAML", good + "mounts: [\n", []string{"headwater.yaml"}},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "headwater.yaml")
			writeFile(t, file, []byte(k.text))
			mustBeRefused(t, []string{"serve", "--config", file}, k.names...)
		})
	}
}

// TestConfig serves two mounts from a configuration file: one takes uploads,
// one shows a folder and takes none.
func TestConfig(t *testing.T) {
	t.Parallel()
	vod := t.TempDir()
	writeFile(t, filepath.Join(vod, "film.mp4"), pattern(5000, 1))
	file := filepath.Join(t.TempDir(), "headwater.yaml")
	writeFile(t, file, []byte(`listen: ["127.0.0.1:0"]
admin: "off"
mounts:
  - {path: /live, store: gmem, write: true, max_cache_segs: 3}
  - {path: /vod, store: "`+vod+`"}
`))
	c := start(t, nil, binary, "serve", "--config", file)
	s := &server{child: c, http: c.waitLine(t, c.err, listening, 1)[0]}
	t.Cleanup(func() { s.stop(t) })
	put := func(path string) int {
		r := dialRaw(t, s)
		r.startUpload(t, path)
		r.chunk(t, pattern(100, 1))
		r.send(t, "0\r\n\r\n")
		return r.status(t)
	}
	if got := put("/live/seg-1.m4s"); got != 201 {
		t.Errorf("PUT to the mount that takes uploads: status %d", got)
	}
	if got := put("/vod/film.mp4"); got/100 != 4 {
		t.Errorf("PUT to the mount that takes none: status %d", got)
	}
	if d := fetch(t, s, "/vod/film.mp4"); d.status != 200 || string(d.body) != string(pattern(5000, 1)) {
		t.Errorf("GET of a file in a folder: status %d, %d bytes", d.status, len(d.body))
	}
	for _, path := range []string{"/else/x.mp4", "/vod/../live/../../etc/passwd", "/vod/%2e%2e/%2e%2e/etc/passwd", "/vodfilm.mp4"} {
		if got := statusOf(t, s, path); got/100 != 4 {
			t.Errorf("GET %s: status %d", path, got)
		}
	}
}

// TestPortTaken wants a start on a port that is in use to fail.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	c := start(t, nil, binary, "serve", "--listen", lis.Addr().String(), "--admin", "off")
	if code := c.wait(t, patience); code <= 0 || !strings.Contains(c.err.String(), lis.Addr().String()) {
		t.Errorf("exit code %d:\n%s", code, c.err)
	}
}

// TestStopsGracefully sends SIGTERM while a segment goes through. The upload
// may end, its reader gets all of it, and then the process ends with code 0.
func TestStopsGracefully(t *testing.T) {
	t.Parallel()
	s := serve(t)
	data := pattern(9000, 1)
	up := dialRaw(t, s)
	up.startUpload(t, "/live/seg-1.m4s")
	up.chunk(t, data[:5000])
	mustAppear(t, s, "/live/seg-1.m4s")
	r := startReader(t, s, "/live/seg-1.m4s")
	r.await(t, 5000)
	s.ended = true
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no new connections", func() bool {
		c, err := net.DialTimeout("tcp", s.addr(), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	up.chunk(t, data[5000:])
	up.send(t, "0\r\n\r\n")
	if got := up.status(t); got != 201 {
		t.Errorf("the upload under way: status %d", got)
	}
	r.mustEnd(t, "the reader under way", true, data)
	if code := s.wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestInterface: ifce is the one address that is listened on, and a port that is
// taken is an error.
func TestInterface(t *testing.T) {
	port := freePort(t)
	c := start(t, nil, binary, "serve", "--admin", "off", "--ifce", "127.0.0.2", "--port", port)
	c.waitLine(t, c.err, listening, 1)
	for host, want := range map[string]bool{"127.0.0.2": true, "127.0.0.1": false} {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), patience)
		if (err == nil) != want {
			t.Errorf("%s: %v", host, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	second := start(t, nil, binary, "serve", "--admin", "off", "--ifce", "127.0.0.2", "--port", port)
	if code := second.wait(t, patience); code != 1 || !strings.Contains(second.err.String(), "127.0.0.2:"+port) {
		t.Errorf("the port is taken: exit code %d\n%s", code, second.err)
	}
}
