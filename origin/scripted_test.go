package origin

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/headwater-origin/headwater/origin/access"
)

// rules is a script as httpout's users write them.
const rules = `
let told = [];
httpout.on_request = (req) => {
  let path = req.url.split("?")[0];
  switch (path) {
  case "/old":
    req.reply = 301;
    req.headers_out.push({ "name": "Location", "value": "/new" });
    break;
  case "/page":
    req.reply = 200;
    req.headers_out.push({ "name": "Content-Type", "value": "text/html" }, { "name": "Cache-Control", "value": "max-age=7" },
      { "name": "Content-Length", "value": "999999" });
    req.body = "<p>" + [req.method, req.url, req.auth_code, req.tls, req.IP, req.port > 0, req.netid > 0].join(" ");
    for (let h of req.headers_in)
      if (h.name.toLowerCase() == "x-asked") req.body += " " + h.value;
    break;
  case "/bad-header":
    req.headers_out.push({ "name": "X-Bad", "value": "a\r\nb" });
    break;
  case "/other":
    req.body = FILE;
    break;
  case "/plain":
    req.headers_out.push({ "name": "X-Added", "value": "yes" }, { "name": "Content-Type", "value": "text/never" });
    break;
  case "/later":
    req.reply = 200;
    req.body = "later";
    setTimeout(() => { req.send(); }, 20);
    return;
  case "/read":
    let parts = ["one ", null, "two ", "three"];
    req.reply = 200;
    req.read = (buf) => {
      if (!parts.length) return 0;
      let p = parts.shift();
      if (p === null) return -1;
      let view = new Uint8Array(buf);
      for (let i = 0; i < p.length; i++) view[i] = p.charCodeAt(i);
      return p.length;
    };
    break;
  case "/upload":
    let got = "";
    req.reply = 201;
    req.write = (buf) => {
      if (buf === null) { told.push("upload " + got); return; }
      got += String.fromCharCode.apply(null, new Uint8Array(buf));
    };
    break;
  case "/no-write":
    req.reply = 201;
    break;
  case "/slow":
    req.throttle = (done, total) => { told.push("slow " + done + "/" + total); return 1; };
    break;
  case "/secret":
    if (req.auth_code != 200) { req.reply = req.auth_code; req.body = "by the script"; }
    break;
  case "/told":
    req.reply = 200;
    req.body = told.join("\n");
    break;
  case "/throws":
    no_such_function();
  case "/twice":
    req.reply = 200;
    req.body = "once";
    req.send();
    break;
  case "/loop":
    for (;;) ;
  case "/memory":
    for (let a = []; ; ) a.push(new Array(100000).fill(1));
  }
  if (path != "/told") req.close = (code) => { told.push("close " + path + " " + code); };
  req.send();
};
`

// withRules gives the server a script, in which FILE is the path of a file.
func withRules(t *testing.T, text, file string) func(*Config) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.js")
	if err := os.WriteFile(name, []byte("const FILE = '"+file+"';\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.JS = name }
}

// TestScript: what a script decides is what a request gets.
func TestScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.m4s")
	if err := os.WriteFile(file, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRules(t, rules, file))
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.put("/plain", "plain text")
	s.put("/slow", strings.Repeat("x", 80_000))
	for _, tc := range []struct {
		what, method, path, body string
		headers                  []string
		status                   int
		want                     string            // the body
		header                   map[string]string // what must be there, or with "" not
	}{
		{"redirects", "GET", "/old", "", nil, 301, "", map[string]string{"Location": "/new", "Content-Length": "0"}},
		{"makes content", "GET", "/page?a=%20b", "", []string{"X-Asked: z"}, 200, "<p>GET /page?a= b 200 false 127.0.0.1 true true z",
			map[string]string{"Content-Type": "text/html", "Cache-Control": "max-age=7", "Server": "Headwater"}},
		{"HEAD of it", "HEAD", "/page", "", nil, 200, "", map[string]string{"Content-Type": "text/html"}},
		{"names a file", "GET", "/other", "", nil, 200, "0123456789", map[string]string{"Content-Type": "video/iso.segment", "Accept-Ranges": "bytes"}},
		{"a range of it", "GET", "/other", "", []string{"Range: bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10"}},
		{"adds a header", "GET", "/plain", "", nil, 200, "plain text", map[string]string{"X-Added": "yes", "Content-Type": "application/octet-stream"}},
		{"adds it to an error", "DELETE", "/plain", "", []string{"If-Match: \"x\""}, 412, "", map[string]string{"X-Added": "yes"}},
		{"answers later", "GET", "/later", "", nil, 200, "later", nil},
		{"makes a stream", "GET", "/read", "", nil, 200, "one two three", nil},
		{"takes an upload", "PUT", "/upload", "what was sent", nil, 201, "", nil},
		{"slows down", "GET", "/slow", "", nil, 200, strings.Repeat("x", 80_000), nil},
		{"lets through", "PUT", "/stored", "x", nil, 201, "", nil},
		{"gives no header", "GET", "/bad-header", "", nil, 500, "", map[string]string{"X-Bad": ""}},
		{"sends once, answers an upload without write", "PUT", "/no-write", "x", nil, 500, "", nil},
	} {
		a := s.do(tc.method, tc.path, tc.body, tc.headers...)
		if a.StatusCode != tc.status || a.err != nil || tc.want != "" && a.body != tc.want {
			t.Errorf("%s: %s %.100q, %v", tc.what, a.Status, a.body, a.err)
		}
		for name, want := range tc.header {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, not %q", tc.what, name, got, want)
			}
		}
	}
	for _, want := range []string{"upload what was sent", "slow 0/80000", "slow 32768/80000", "close /page 1", "close /slow 1", "close /read 1"} {
		eventually(t, "the script is told: "+want, func() bool { return strings.Contains(s.do("GET", "/told", "").body+"\n", want+"\n") })
	}
}

// TestScriptSeesAll: requests for what no mount has, and what a request without
// a password would get.
func TestScriptSeesAll(t *testing.T) {
	s := start(t, withRules(t, rules, ""), withMount(func(m *Mount) { m.Path = "/live" }))
	if a := s.do("GET", "/later", ""); a.StatusCode != 200 || a.body != "later" {
		t.Errorf("outside of all mounts: %s %q", a.Status, a.body)
	}
	users := usersFile(t)
	s = start(t, withRules(t, rules, ""), func(c *Config) { c.Users = users }, withMount(func(m *Mount) { m.RU = []string{"alice"} }))
	if a := s.do("GET", "/secret", ""); a.StatusCode != 401 || a.body != "by the script" {
		t.Errorf("without a password: %s %q", a.Status, a.body)
	}
	if a := s.do("GET", "/secret", "", basic("alice:alice-pw")); a.StatusCode != 404 {
		t.Errorf("with it: %s %q", a.Status, a.body)
	}
	for _, path := range []string{"/plain", "/other"} { // the script lets both through
		if a := s.do("GET", path, ""); a.StatusCode != 401 || a.Header.Get("Www-Authenticate") == "" {
			t.Errorf("%s without a password: %s", path, a.Status)
		}
	}
}

// syncBuffer is a log that tests read.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestScriptFails: an error in the script is a 500 for that request alone, and a
// line in the log that says where.
func TestScriptFails(t *testing.T) {
	log := new(syncBuffer)
	s := startLogging(t, log, withRules(t, rules, ""))
	if a := s.do("GET", "/throws", ""); a.StatusCode != 500 || a.body == "" || strings.Contains(a.body, "no_such") {
		t.Errorf("/throws: %s %q", a.Status, a.body)
	}
	if a := s.do("GET", "/twice", ""); a.StatusCode != 500 || a.body == "once" {
		t.Errorf("/twice: %s %q", a.Status, a.body)
	}
	for path, want := range map[string]string{"/throws": "no_such_function", "/twice": "send"} {
		eventually(t, "the log says what and where of "+path, func() bool {
			return atLevel(log, "ERROR", "url="+path) == 1 && strings.Contains(log.String(), want) && strings.Contains(log.String(), "rules.js:")
		})
	}
	if a := s.do("GET", "/later", ""); a.StatusCode != 200 {
		t.Errorf("afterwards: %s", a.Status)
	}
	for text, want := range map[string]string{
		"let x = ;":                  "rules.js:2",
		"let x = 1;":                 "on_request",
		"import * as s from 'gpac';": "gpac",
	} {
		cfg := DefaultConfig()
		withRules(t, text, "")(&cfg)
		_, err := New(cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestScriptIsBounded: a script without an end, or with ever more memory, fails
// its request, and the next ones are answered.
func TestScriptIsBounded(t *testing.T) {
	s := start(t, withRules(t, rules, ""))
	for _, path := range []string{"/loop", "/memory"} {
		if a := s.do("GET", path, ""); a.StatusCode != 500 {
			t.Errorf("%s: %s", path, a.Status)
		}
		eventually(t, "the script answers again after "+path, func() bool { return s.do("GET", "/later", "").StatusCode == 200 })
	}
}

// TestScriptClientGone: a client that goes while the script thinks leaves nothing
// behind.
func TestScriptClientGone(t *testing.T) {
	s := start(t, withRules(t, `let told = ""; httpout.on_request = (req) => {
	  if (req.url == "/told") { req.reply = 200; req.body = told; req.send(); return; }
	  told += "asked";
	  req.close = (code) => { told += ", closed " + code; };
	};`, ""))
	c := s.dial()
	c.send("GET /never HTTP/1.1", "Host: origin")
	eventually(t, "the script is asked", func() bool { return s.do("GET", "/told", "").body == "asked" })
	_ = c.Close()
	eventually(t, "the script is told", func() bool { return s.do("GET", "/told", "").body == "asked, closed -43" })
}

// busy is who cannot check a password now.
type busy struct{ access.Verifier }

func (busy) Verify(context.Context, string, string) (bool, error) { return false, access.ErrBusy }

// TestScriptIsNotAskedInDoubt: a script is not asked about a request whose
// auth_code cannot be told, which it might take for leave.
func TestScriptIsNotAskedInDoubt(t *testing.T) {
	users := usersFile(t)
	s := start(t, withRules(t, `httpout.on_request = (req) => { req.reply = req.auth_code == 401 ? 401 : 200; req.body = "in"; req.send(); };`, ""),
		func(c *Config) { c.Users = users }, withMount(func(m *Mount) { m.RU = []string{"alice"} }))
	s.mounts[0].users = busy{s.users}
	for want, headers := range map[int][]string{401: nil, 503: {basic("alice:alice-pw")}} {
		if a := s.do("GET", "/", "", headers...); a.StatusCode != want {
			t.Errorf("%s %q, not %d", a.Status, a.body, want)
		}
	}
}
