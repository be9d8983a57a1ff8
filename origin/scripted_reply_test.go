package origin

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// streams answers /NAME?ANNOUNCED with a stream of 3*40000 bytes, and says how
// the requests ended.
const streams = `
let told = [];
httpout.on_request = (req) => {
  let [path, announced] = req.url.split("?");
  req.reply = 200;
  if (path == "/told") { req.body = told.join("\n"); req.send(); return; }
  if (announced) req.headers_out.push({ "name": "Content-Length", "value": announced });
  let left = 3;
  req.read = (buf) => { if (!left--) return 0; new Uint8Array(buf).fill(120, 0, 30000); return 30000; };
  req.close = (code) => { told.push("close " + path + " " + code); };
  req.send();
};`

// allClients are clients over HTTP/1.1, 2 and 3, all with TLS.
func (s *testServer) allClients() map[string]*http.Client {
	clients := s.tlsClients()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	s.t.Cleanup(func() { _ = transport.Close() })
	clients["HTTP/3.0"] = &http.Client{Transport: transport, Timeout: patience}
	return clients
}

// fetch gets a URL, and returns what came of the body and how it ended.
func fetch(t *testing.T, c *http.Client, url string) (resp *http.Response, n int, err error) {
	t.Helper()
	resp, err = c.Get(url)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, len(body), err
}

// TestScriptStreamLength: a stream that is not as long as the script has announced
// breaks the transfer, over each protocol, and the script is told.
func TestScriptStreamLength(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3 = true }, withRules(t, streams, ""))
	url := s.URLs()[1]
	told := func(want string) {
		t.Helper()
		eventually(t, "the script is told "+want, func() bool { return strings.Contains(s.do("GET", "/told", "").body+"\n", want+"\n") })
	}
	for proto, c := range s.allClients() {
		t.Run(proto, func(t *testing.T) {
			name := strings.ReplaceAll(proto, "/", "-")
			for _, announced := range []string{"", "90000"} {
				resp, n, err := fetch(t, c, url+"/good-"+name+"?"+announced)
				if err != nil || n != 90000 || resp.Proto != proto {
					t.Errorf("%q announced: %d bytes, %v", announced, n, err)
				}
			}
			told("close /good-" + name + " 1")
			for _, announced := range []string{"90001", "89999", "60000", "0"} {
				_, n, err := fetch(t, c, url+"/bad"+announced+"-"+name+"?"+announced)
				if err == nil && strconv.Itoa(n) != announced { // else the client has all that it was told of
					t.Errorf("%s announced: %d bytes and a clean end", announced, n)
				}
				told("close /bad" + announced + "-" + name + " -13")
			}
		})
	}
}

// TestScriptHead: the answer to HEAD has no length that the one to GET would not.
func TestScriptHead(t *testing.T) {
	s := start(t, withRules(t, streams, ""))
	for query, want := range map[string]int64{"": -1, "?90000": 90000} {
		a := s.do("HEAD", "/a"+query, "")
		if a.StatusCode != 200 || a.ContentLength != want {
			t.Errorf("%q: %s, length %d", query, a.Status, a.ContentLength)
		}
	}
	if a := s.do("HEAD", "/told", ""); a.StatusCode != 200 || a.ContentLength < 0 {
		t.Errorf("content at hand: %s, length %d", a.Status, a.ContentLength)
	}
}

// answers gives the reply that the URL names: /STATUS.
const answers = `httpout.on_request = (req) => {
  req.reply = parseInt(req.url.slice(1));
  if (!req.reply) { req.reply = 200; req.headers_out.push({ "name": "Set-Cookie", "value": "a=1" }, { "name": "set-cookie", "value": "b=2" },
    { "name": "Server", "value": "own" }, { "name": "Content-Range", "value": "bytes 0-3/9" }, { "name": "Transfer-Encoding", "value": "gzip" }); }
  req.body = "body";
  req.send();
};`

// TestScriptStatus: every status that a reply can have is framed, so that the next
// request of the connection is answered; others are a failure of the script.
func TestScriptStatus(t *testing.T) {
	log := new(syncBuffer)
	s := startLogging(t, log, withRules(t, answers, ""))
	c := s.dial()
	for _, tc := range []struct {
		path string
		want int
		body string
	}{
		{"/200", 200, "body"}, {"/204", 204, ""}, {"/304", 304, ""}, {"/404", 404, "body"}, {"/599", 599, "body"}, {"/205", 205, ""},
		{"/600", 500, "-"}, {"/999", 500, "-"}, {"/100", 500, "-"}, {"/200", 200, "body"},
	} {
		c.send("GET "+tc.path+" HTTP/1.1", "Host: origin")
		resp := c.response("GET")
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != tc.want || resp.Close || tc.body != "-" && string(body) != tc.body {
			t.Errorf("%s: %s %q, %v", tc.path, resp.Status, body, err)
		}
	}
	for _, want := range []string{"600 is not a status", "999 is not a status"} {
		eventually(t, "the log says "+want, func() bool { return atLevel(log, "ERROR", want) == 1 })
	}
}

// TestScriptLongURL: a URL that is too long for the script is the client's error.
func TestScriptLongURL(t *testing.T) {
	s := start(t, withRules(t, answers, ""))
	c := s.dial()
	c.send("GET /200"+strings.Repeat("0", longestTarget)+" HTTP/1.1", "Host: origin")
	if resp := c.response("GET"); resp.StatusCode != http.StatusRequestURITooLong {
		t.Error(resp.Status)
	}
}

// TestScriptErrorIsTheServers: headers for the script's reply are not for the
// server's error in place of it, and what caches keep least of all.
func TestScriptErrorIsTheServers(t *testing.T) {
	s := start(t, withRules(t, `httpout.on_request = (req) => {
	  req.reply = 600;
	  req.headers_out.push({ "name": "Cache-Control", "value": "max-age=7" }, { "name": "X-Added", "value": "yes" });
	  req.send();
	};`, ""))
	a := s.do("GET", "/", "")
	if a.StatusCode != 500 || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Added") != "yes" {
		t.Errorf("%s %v", a.Status, a.Header)
	}
}

// atLevel counts the lines of the log of the level with the text.
func atLevel(log *syncBuffer, level, text string) (n int) {
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "level="+level) && strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// TestScriptHeaders: a header that the script gives twice is there twice, in place
// of the server's.
func TestScriptHeaders(t *testing.T) {
	s := start(t, withRules(t, answers, ""), func(c *Config) { c.Headers = []string{"X-Hdrs", "yes"} })
	a := s.do("GET", "/headers", "")
	if got := strings.Join(a.Header.Values("Set-Cookie"), ","); got != "a=1,b=2" {
		t.Errorf("Set-Cookie: %s", got)
	}
	if got := a.Header.Values("Server"); len(got) != 1 || got[0] != "own" {
		t.Errorf("Server: %v", got)
	}
	if a.Header.Get("X-Hdrs") != "yes" || a.Header.Get("Content-Range") != "bytes 0-3/9" || len(a.TransferEncoding) > 0 {
		t.Errorf("%v %v", a.Header, a.TransferEncoding)
	}
}

// TestScriptNamesFile: a file that the script names is a file as any other, for
// who reads; a name of what is no file is a 404.
func TestScriptNamesFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.m4s")
	if err := os.WriteFile(file, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `httpout.on_request = (req) => { if (req.url != "/plain") req.body = FILE + req.url; req.send(); };`
	s := start(t, withRules(t, text, dir))
	a := s.do("GET", "/a.m4s", "")
	etag := a.Header.Get("ETag")
	if a.StatusCode != 200 || a.body != "0123456789" || etag == "" || a.Header.Get("Last-Modified") == "" {
		t.Fatalf("%s %q %v", a.Status, a.body, a.Header)
	}
	for _, tc := range []struct {
		what, method, path string
		headers            []string
		status             int
		length             int64
		body               string
	}{
		{"HEAD", "HEAD", "/a.m4s", nil, 200, 10, ""},
		{"the version that the client has", "GET", "/a.m4s", []string{"If-None-Match: " + etag}, 304, -1, ""},
		{"another", "GET", "/a.m4s", []string{`If-Match: "x"`}, 412, -1, "-"},
		{"the rest of this version", "GET", "/a.m4s", []string{"If-Range: " + etag, "Range: bytes=7-"}, 206, 3, "789"},
		{"the rest of another", "GET", "/a.m4s", []string{`If-Range: "x"`, "Range: bytes=7-"}, 200, 10, "0123456789"},
		{"beyond the end", "GET", "/a.m4s", []string{"Range: bytes=10-"}, 416, -1, "-"},
		{"no such file", "GET", "/none", nil, 404, -1, "-"},
		{"a directory", "GET", "/", nil, 404, -1, "-"},
		{"below a file", "GET", "/a.m4s/b", nil, 404, -1, "-"},
		{"a name too long", "GET", "/" + strings.Repeat("a", 300), nil, 404, -1, "-"},
		{"a name with a zero in it", "GET", "/a%00", nil, 404, -1, "-"},
		{"a preflight", "OPTIONS", "/a.m4s", []string{"Origin: http://a", "Access-Control-Request-Method: GET"}, 204, -1, ""},
		{"an upload, stored as any other", "PUT", "/a.m4s", nil, 201, -1, ""},
	} {
		body := ""
		if tc.method == "PUT" {
			body = "uploaded"
		}
		a := s.do(tc.method, tc.path, body, tc.headers...)
		if a.StatusCode != tc.status || tc.body != "-" && a.body != tc.body || tc.length >= 0 && a.ContentLength != tc.length {
			t.Errorf("%s: %s %q, length %d", tc.what, a.Status, a.body, a.ContentLength)
		}
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "0123456789" {
		t.Errorf("the file was changed: %q, %v", data, err)
	}
	if f, err := s.mounts[0].store.Lookup("a.m4s"); err != nil || f.View().Size() != int64(len("uploaded")) {
		t.Errorf("the upload is lost: %v", err)
	}
}

// TestScriptOutsideOfMounts: a script needs no mount for a file or an upload.
func TestScriptOutsideOfMounts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.m4s")
	if err := os.WriteFile(file, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, withRules(t, rules+takes, file), withMount(func(m *Mount) { m.Path = "/live" }))
	for range 2 { // the connection stands
		if a := s.do("GET", "/other", "", "Range: bytes=1-2"); a.StatusCode != 206 || a.body != "12" || a.err != nil {
			t.Errorf("a file: %s %q, %v", a.Status, a.body, a.err)
		}
	}
	if a := s.do("PUT", "/take", strings.Repeat("x", 3<<20)); a.StatusCode != 201 || a.body != "3145728" {
		t.Errorf("an upload: %s %q", a.Status, a.body)
	}
}
