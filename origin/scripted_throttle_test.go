package origin

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// paces has the script slow everything down by PAUSE microseconds a piece; /told
// says how requests ended.
const paces = `
let told = [];
httpout.on_request = (req) => {
  if (req.url == "/told") { req.reply = 200; req.body = told.join("\n"); req.send(); return; }
  if (req.method == "GET" && !req.url.endsWith("?fast")) req.throttle = (done, total) => PAUSE;
  if (req.method == "GET") req.close = (code) => { told.push("close " + req.url + " " + code); };
  req.send();
};`

func withPace(t *testing.T, pause string) func(*Config) {
	return withRules(t, "const PAUSE = "+pause+";\n"+paces, "")
}

// mustTell waits until the script has been told the line, once.
func (s *testServer) mustTell(want string) {
	s.t.Helper()
	said := func() string { return "\n" + s.do("GET", "/told", "").body + "\n" }
	eventually(s.t, "the script is told: "+want, func() bool { return strings.Contains(said(), "\n"+want+"\n") })
	request := want[:strings.LastIndexByte(want, ' ')+1]
	if n := strings.Count(said(), "\n"+request); n != 1 {
		s.t.Errorf("%q is told %d times", request, n)
	}
}

// TestScriptSlowsGrowingFile: over each protocol a growing file comes to its end,
// and breaks off where its upload does.
func TestScriptSlowsGrowingFile(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3 = true }, withPace(t, "1"))
	for proto, c := range s.allClients() {
		t.Run(proto, func(t *testing.T) {
			name := "/" + strings.NewReplacer("/", "", ".", "").Replace(proto)
			for _, whole := range []bool{true, false} {
				path := name + map[bool]string{true: "-1.m4s", false: "-2.m4s"}[whole]
				up := s.upload(path)
				up.chunk("first ")
				s.growingFile(path, 6)
				resp, err := c.Get(s.URLs()[1] + path)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, resp.Body, "first ")
				up.chunk("second")
				expect(t, resp.Body, "second")
				if whole {
					up.end()
				} else {
					_ = up.Close()
				}
				rest, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if len(rest) > 0 || (err == nil) != whole || resp.Proto != proto {
					t.Errorf("whole %v: %q more, %v", whole, rest, err)
				}
				s.mustTell("close " + path + " " + map[bool]string{true: "1", false: "-13"}[whole])
			}
		})
	}
}

// TestScriptPausesAreNotSlow: it is the client that must not be slow, not the
// script.
func TestScriptPausesAreNotSlow(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3 = true }, withPace(t, "150000"),
		withMount(func(m *Mount) { m.ViewerTimeout = Duration(50 * time.Millisecond) }))
	s.put("/a.bin", strings.Repeat("x", 3*scriptPiece))
	for proto, c := range s.allClients() {
		if _, n, err := fetch(t, c, s.URLs()[1]+"/a.bin"); err != nil || n != 3*scriptPiece {
			t.Errorf("%s: %d bytes, %v", proto, n, err)
		}
	}
	fast := start(t, withPace(t, "0"), withMount(func(m *Mount) { m.ViewerTimeout = Duration(50 * time.Millisecond) }))
	fast.put("/b.bin", strings.Repeat("x", 32<<20))
	c := fast.dial()
	c.send("GET /b.bin HTTP/1.1", "Host: origin")
	c.response("GET") // and nothing of the body
	eventually(t, "the client is cut", func() bool { return counterValue(t, fast.mounts[0].metrics.cut[cutSlow]) == 1 })
	fast.mustTell("close /b.bin -43")
}

// TestScriptIsToldOfFollowers: the end of a request is told once, also where the
// connection was taken from net/http meanwhile.
func TestScriptIsToldOfFollowers(t *testing.T) {
	s := start(t, withPace(t, "1"))
	up := s.upload("/seg-1.m4s")
	up.chunk("first ")
	s.growingFile("/seg-1.m4s", 6)
	var bodies []io.Reader
	var conns []*rawConn
	for _, query := range []string{"?1?fast", "?2?fast", "?3?fast"} {
		c := s.dial()
		c.send("GET /seg-1.m4s"+query+" HTTP/1.1", "Host: origin")
		resp := c.response("GET")
		expect(t, resp.Body, "first ")
		bodies, conns = append(bodies, resp.Body), append(conns, c)
	}
	eventually(t, "all are on bare sockets", func() bool { return s.followers.now.Load() == 3 })
	_ = conns[2].Close()
	eventually(t, "it is seen that one has gone", func() bool {
		up.chunk("more")
		return s.followers.now.Load() == 2
	})
	up.end()
	for _, b := range bodies[:2] {
		if _, err := io.ReadAll(b); err != nil {
			t.Error(err)
		}
	}
	s.mustTell("close /seg-1.m4s?1?fast 1")
	s.mustTell("close /seg-1.m4s?2?fast 1")
	eventually(t, "the one that went is told", func() bool { return strings.Contains(s.do("GET", "/told", "").body, "close /seg-1.m4s?3?fast -") })
}

// TestScriptHoldsNothingUp: what a script decides counts and closes as what the
// server does.
func TestScriptHoldsNothingUp(t *testing.T) {
	s := start(t, withRules(t, answers, ""), func(c *Config) { c.MaxClientErrors = 2 })
	c := s.dial()
	for i, want := range []bool{false, true} {
		c.send("GET /404 HTTP/1.1", "Host: origin")
		resp := c.response("GET")
		if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusNotFound || resp.Close != want {
			t.Errorf("refused %d times: closed %v, %v", i+1, resp.Close, err)
		}
	}
}
