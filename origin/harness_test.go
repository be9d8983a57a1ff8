package origin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headwater-origin/headwater/origin/script"
	"github.com/headwater-origin/headwater/segstore"
)

func TestMain(m *testing.M) {
	script.HostMain() // the tests' scripts run in this program, too
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of the tests. It is only ever used up by a failure.
const patience = 20 * time.Second

// testServer is a running Server on loopback.
type testServer struct {
	*Server
	t      *testing.T
	url    string // of the plain listener
	client *http.Client
}

// start runs a Server with one writable mount at / in memory, changed by the
// options, and stops it with the test.
func start(t *testing.T, options ...func(*Config)) *testServer {
	t.Helper()
	return startLogging(t, t.Output(), options...)
}

// startLogging is start of a server that logs there.
func startLogging(t *testing.T, log io.Writer, options ...func(*Config)) *testServer {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.Admin = AdminOff
	for _, o := range options {
		o(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return &testServer{Server: s, t: t, url: s.URLs()[0], client: &http.Client{Transport: transport, Timeout: patience}}
}

// withMount changes the one mount of start.
func withMount(change func(*Mount)) func(*Config) {
	return func(c *Config) { change(&c.Mounts[0]) }
}

// answered is a reply, read to its end.
type answered struct {
	*http.Response
	body string
	err  error // of reading the body
}

// do sends a request with headers "Name: value" and reads the answer.
func (s *testServer) do(method, path, body string, headers ...string) answered {
	s.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answered{resp, string(got), err}
}

// put uploads a whole file, which must succeed.
func (s *testServer) put(path, body string) {
	s.t.Helper()
	if a := s.do("PUT", path, body); a.StatusCode/100 != 2 {
		s.t.Fatalf("PUT %s: %s %s", path, a.Status, a.body)
	}
}

// rawConn is a connection on which a test writes what it likes.
type rawConn struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func (s *testServer) dial() *rawConn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawConn{Conn: c, t: s.t, br: bufio.NewReader(c)}
}

// send writes lines, each ended by CRLF, and an empty line.
func (c *rawConn) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// response reads the head of the next response.
func (c *rawConn) response(method string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// liveUpload is a chunked PUT under way.
type liveUpload struct {
	*rawConn
	path string
}

// upload begins a chunked PUT.
func (s *testServer) upload(path string) *liveUpload {
	s.t.Helper()
	c := s.dial()
	c.send("PUT "+path+" HTTP/1.1", "Host: origin", "Transfer-Encoding: chunked")
	return &liveUpload{c, path}
}

// chunk sends one HTTP chunk.
func (u *liveUpload) chunk(data string) {
	u.t.Helper()
	if _, err := fmt.Fprintf(u, "%x\r\n%s\r\n", len(data), data); err != nil {
		u.t.Fatal(err)
	}
}

// end ends the upload and returns the response.
func (u *liveUpload) end() *http.Response {
	u.t.Helper()
	if _, err := io.WriteString(u, "0\r\n\r\n"); err != nil {
		u.t.Fatal(err)
	}
	return u.response("PUT")
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// growingFile waits until the name is being uploaded with at least so many
// bytes published.
func (s *testServer) growingFile(path string, size int64) {
	s.t.Helper()
	eventually(s.t, path+" grows", func() bool {
		f, err := s.mounts[0].store.Lookup(strings.TrimPrefix(path, "/"))
		return err == nil && f.View().Size() >= size
	})
}

// expect reads exactly the text from r.
func expect(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

// rest reads what comes until the connection ends.
func (c *rawConn) rest() string {
	c.t.Helper()
	data, err := io.ReadAll(c.br)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

func headOf(length int64) segstore.Head { return segstore.Head{Length: length} }
