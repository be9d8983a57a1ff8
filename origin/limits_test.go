package origin

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// over asks on a new connection and returns the answer.
func (s *testServer) over(lines ...string) *http.Response {
	s.t.Helper()
	c := s.dial()
	c.send(append([]string{"GET /a HTTP/1.1", "Host: origin"}, lines...)...)
	resp := c.response("GET")
	_ = resp.Body.Close()
	return resp
}

func TestMaxConnections(t *testing.T) {
	for key, set := range map[string]func(*Config){
		"maxc": func(c *Config) { c.MaxConns = 2 },
		"maxp": func(c *Config) { c.MaxPeerConns = 2 },
	} {
		t.Run(key, func(t *testing.T) {
			s := start(t, set)
			first := s.dial()
			first.send("GET /a HTTP/1.1", "Host: origin")
			first.response("GET")
			second := s.dial()
			second.send("GET /a HTTP/1.1", "Host: origin")
			second.response("GET")
			resp := s.over()
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !resp.Close {
				t.Errorf("%s, %v", resp.Status, resp.Header)
			}
			_ = first.Close()
			eventually(t, "there is room again", func() bool { return s.over().StatusCode == 404 })
		})
	}
}

// TestMaxConnectionsOfFollowers: a connection counts while its reply is written
// outside of net/http, and once, when it is handed back.
func TestMaxConnectionsOfFollowers(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxConns = 2 })
	up := s.upload("/seg-1.m4s")
	up.chunk("x")
	s.growingFile("/seg-1.m4s", 1)
	viewer := s.dial()
	viewer.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	resp := viewer.response("GET")
	expect(t, resp.Body, "x")
	if resp := s.over(); resp.StatusCode != 503 {
		t.Errorf("a follower does not count: %s", resp.Status)
	}
	up.end()
	_, _ = io.ReadAll(resp.Body)
	_ = up.Close()
	for range 2 { // one place is free: it is taken and left
		eventually(t, "the encoder's place is free", func() bool { return s.over("Connection: close").StatusCode == 404 })
	}
	viewer.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	if resp := viewer.response("GET"); resp.StatusCode != 200 {
		t.Errorf("handed back: %s", resp.Status)
	}
	_ = viewer.Close()
	eventually(t, "nothing is left on the books", func() bool {
		s.conns.mu.Lock()
		defer s.conns.mu.Unlock()
		return len(s.conns.open) == 0 && len(s.conns.peers) == 0
	})
}

// TestMaxPeerBehindProxy: a trusted proxy's connections do not count, the
// requests of each client it speaks for do.
func TestMaxPeerBehindProxy(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxPeerConns, c.TrustedProxies = 1, []string{"loopback"} })
	up := s.upload("/seg-1.m4s")
	up.chunk("x")
	s.growingFile("/seg-1.m4s", 1)
	ask := func(client string) (*rawConn, *http.Response) {
		c := s.dial()
		c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin", "X-Forwarded-For: 192.0.2.99, "+client+", 127.0.0.1")
		resp := c.response("GET")
		return c, resp
	}
	a, resp := ask("192.0.2.1")
	if resp.StatusCode != 200 {
		t.Fatalf("first: %s", resp.Status)
	}
	if _, resp := ask("192.0.2.1"); resp.StatusCode != 503 {
		t.Errorf("second of one client: %s", resp.Status)
	}
	if _, resp := ask("192.0.2.2"); resp.StatusCode != 200 {
		t.Errorf("another client: %s", resp.Status)
	}
	_ = a.Close()
	up.chunk("y") // written to, the first is seen to be gone
	eventually(t, "the first client is off the books", func() bool {
		up.chunk("z")
		_, resp := ask("192.0.2.1")
		return resp.StatusCode == 200
	})
}

func TestMaxClientErrors(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxClientErrors = 3 })
	s.put("/a", "x")
	c := s.dial()
	ask := func(path string) bool {
		c.send("HEAD "+path+" HTTP/1.1", "Host: origin")
		return c.response("HEAD").Close
	}
	for i, path := range []string{"/no", "/no", "/a", "/no", "/no"} {
		if ask(path) {
			t.Fatalf("closed after request %d", i)
		}
	}
	if !ask("/no") {
		t.Error("the third error in a row does not close the connection")
	}
}

func TestServerWideHeaders(t *testing.T) {
	s := start(t, func(c *Config) {
		c.ServerUTC, c.Close, c.UserAgent = true, true, "Origin/9"
		c.Headers = []string{"X-A", "a", "Cache-Control", "private"}
		c.Mounts[0].Headers = []string{"X-B", "b"}
	})
	before := time.Now().UnixMilli()
	for _, path := range []string{"/a.txt", "/missing"} {
		s.do("PUT", "/a.txt", "x")
		a := s.do("GET", path, "")
		utc, err := strconv.ParseInt(a.Header.Get("Server-UTC"), 10, 64)
		if err != nil || utc < before || utc > time.Now().UnixMilli() {
			t.Errorf("%s: Server-UTC %q", path, a.Header.Get("Server-UTC"))
		}
		got := strings.Join([]string{a.Header.Get("Server"), a.Header.Get("X-A"), a.Header.Get("X-B"), a.Header.Get("Cache-Control")}, " ")
		if got != "Origin/9 a b private" || !a.Close {
			t.Errorf("%s: %s, close %v", path, got, a.Close)
		}
	}
}

// TestCloseAfterGrowingFile: close holds for replies that are written past
// net/http, too.
func TestCloseAfterGrowingFile(t *testing.T) {
	s := start(t, func(c *Config) { c.Close = true })
	up := s.upload("/seg-1.m4s")
	up.chunk("x")
	s.growingFile("/seg-1.m4s", 1)
	resp := s.over()
	_ = resp
	c := s.dial()
	c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	if resp := c.response("GET"); !resp.Close {
		t.Error("no Connection: close")
	}
	up.end()
	if rest := c.rest(); !strings.HasSuffix(rest, "0\r\n\r\n") {
		t.Errorf("ended with %q", rest)
	}
}

// TestBlockSize: a viewer who catches up gets pieces of block_size.
func TestBlockSize(t *testing.T) {
	s := start(t, func(c *Config) { c.BlockSize = 1000 })
	up := s.upload("/seg-1.m4s")
	up.chunk(strings.Repeat("x", 2500))
	s.growingFile("/seg-1.m4s", 2500)
	c := s.dial()
	c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	for range 2 {
		expectLine(t, c, "3e8")
	}
	up.end()
}

// expectLine reads until a chunk of that size begins.
func expectLine(t *testing.T, c *rawConn, size string) {
	t.Helper()
	for {
		line, err := c.br.ReadString('\n')
		if err != nil {
			t.Fatalf("no chunk of %s: %v", size, err)
		}
		if strings.TrimRight(line, "\r\n") == size {
			return
		}
	}
}

// TestTimeout: a connection that carries no request for so long is closed: after
// a reply of net/http, after one that was written past it, and with 0 never.
func TestTimeout(t *testing.T) {
	brief := func(c *Config) { c.Timeout = Duration(200 * time.Millisecond) }
	for _, tc := range []struct {
		path    string
		options []func(*Config)
		closes  bool
	}{{"/a", []func(*Config){brief}, true}, {"/seg-1.m4s", []func(*Config){brief}, true}, {"/a", []func(*Config){brief, func(c *Config) { c.Timeout = 0 }}, false}} {
		s := start(t, tc.options...)
		up := s.upload("/seg-1.m4s")
		up.chunk("x")
		s.growingFile("/seg-1.m4s", 1)
		c := s.dial()
		c.send("GET "+tc.path+" HTTP/1.1", "Host: origin")
		resp := c.response("GET")
		up.end()
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		if tc.closes {
			c.rest() // ends
			continue
		}
		s.stillOpen(c)
	}
}

// stillOpen outlives another server's timeout, and asks again.
func (s *testServer) stillOpen(c *rawConn) {
	s.t.Helper()
	other := start(s.t, func(c *Config) { c.Timeout = Duration(300 * time.Millisecond) })
	o := other.dial()
	o.send("GET /a HTTP/1.1", "Host: origin")
	_ = o.response("GET").Body.Close()
	o.rest()
	c.send("GET /a HTTP/1.1", "Host: origin")
	if resp := c.response("GET"); resp.StatusCode != http.StatusNotFound {
		s.t.Errorf("after a while: %s", resp.Status)
	}
}
