package origin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// badRequest is a request as it goes over the wire, and the error it earns.
type badRequest struct {
	name     string
	lines    []string
	body     string
	status   int
	reusable bool // the connection is good for another request
}

var badRequests = []badRequest{
	{"no such file", []string{"GET /nothing HTTP/1.1", "Host: o"}, "", 404, true},
	{"no such file, HEAD", []string{"HEAD /nothing HTTP/1.1", "Host: o"}, "", 404, true},
	{"directory", []string{"GET / HTTP/1.1", "Host: o"}, "", 404, true},
	{"evicted", []string{"GET /live/seg-1.m4s HTTP/1.1", "Host: o"}, "", 404, true},
	{"future", []string{"GET /live/seg-12.m4s HTTP/1.1", "Host: o"}, "", 404, true},
	{"unusable name", []string{"GET /a%00b HTTP/1.1", "Host: o"}, "", 404, true},
	{"range", []string{"GET /live/seg-8.m4s HTTP/1.1", "Host: o", "Range: bytes=99-"}, "", 416, true},
	{"range, conditional", []string{"GET /live/seg-8.m4s HTTP/1.1", "Host: o", `If-Match: "x"`, "Range: bytes=99-"}, "", 412, true},
	{"If-Match of a growing file", []string{"GET /live/seg-9.m4s HTTP/1.1", "Host: o", `If-Match: "x"`}, "", 412, true},
	{"dot segments", []string{"GET /live/../live/seg-8.m4s HTTP/1.1", "Host: o"}, "", 400, true},
	{"encoded dot segments", []string{"GET /live/%2e%2E%2fx HTTP/1.1", "Host: o"}, "", 400, true},
	{"method not for files", []string{"PATCH /live/seg-8.m4s HTTP/1.1", "Host: o"}, "", 405, true},
	{"TRACE", []string{"TRACE /live/seg-8.m4s HTTP/1.1", "Host: o"}, "", 405, true},
	{"no known method", []string{"BREW /live/seg-8.m4s HTTP/1.1", "Host: o"}, "", 501, true},
	{"method with content", []string{"PATCH /x HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 405, true},
	{"GET with content", []string{"GET /nothing HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 404, true},
	{"DELETE of nothing", []string{"DELETE /nothing HTTP/1.1", "Host: o"}, "", 404, true},
	{"DELETE of nothing, chunked", []string{"DELETE /nothing HTTP/1.1", "Host: o", "Transfer-Encoding: chunked"}, "0\r\n\r\n", 404, true},
	{"DELETE of a slash", []string{"DELETE /live/seg-8.m4s/ HTTP/1.1", "Host: o"}, "", 404, true},
	{"DELETE of the mount", []string{"DELETE / HTTP/1.1", "Host: o"}, "", 400, true},
	{"DELETE of a bad name", []string{"DELETE /a%5Cb HTTP/1.1", "Host: o"}, "", 400, true},
	{"DELETE of another version", []string{"DELETE /live/seg-8.m4s HTTP/1.1", "Host: o", `If-Match: "x"`}, "", 412, true},
	{"PUT without a name", []string{"PUT / HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 400, false},
	{"PUT of a slash", []string{"PUT /live/ HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 400, false},
	{"PUT of a bad name", []string{"PUT /a%5Cb HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 400, false},
	{"PUT of dot segments", []string{"PUT /a/../b HTTP/1.1", "Host: o", "Content-Length: 5"}, "12345", 400, false},
	{"PUT of a part", []string{"PUT /live/seg-8.m4s HTTP/1.1", "Host: o", "Content-Range: bytes 0-4/3", "Content-Length: 5"}, "12345", 400, false},
	{"PUT with Range", []string{"PUT /live/seg-8.m4s HTTP/1.1", "Host: o", "Range: bytes=-4", "Content-Length: 5"}, "12345", 400, false},
	{"PUT over a file", []string{"PUT /live/seg-8.m4s HTTP/1.1", "Host: o", "If-None-Match: *", "Content-Length: 5"}, "12345", 412, false},
	{"PUT over another version", []string{"PUT /live/seg-8.m4s HTTP/1.1", "Host: o", `If-Match: "x"`, "Content-Length: 5"}, "12345", 412, false},
	{"PUT too large", []string{"PUT /x HTTP/1.1", "Host: o", "Content-Length: 1001"}, "", 413, false},
	{"PUT with bad chunks", []string{"PUT /x HTTP/1.1", "Host: o", "Transfer-Encoding: chunked"}, "5\r\n12345zz", 400, false},
	{"PUT that is not to finish soon, of a bad path", []string{"PUT /a/../b HTTP/1.1", "Host: o", "Transfer-Encoding: chunked"}, "5\r\n12345\r\n", 400, false},
}

// TestEveryErrorIsFramed sends every error on one connection, with a good
// request after each.
func TestEveryErrorIsFramed(t *testing.T) {
	s := start(t, noHold, withMount(func(m *Mount) { m.MaxUpload = 1000 }))
	channel(s)
	c := s.dial()
	for _, tc := range badRequests {
		for _, accept := range []string{"", "Accept: application/problem+json"} {
			lines := tc.lines
			if accept != "" {
				lines = append(lines[:len(lines):len(lines)], accept)
			}
			c.send(lines...)
			_, _ = io.WriteString(c, tc.body) // the server may have closed already
			method, _, _ := strings.Cut(lines[0], " ")
			resp := c.response(method)
			checkError(t, tc, resp, accept != "")
			if resp.Close == tc.reusable {
				t.Errorf("%s: closes %v", tc.name, resp.Close)
			}
			if resp.Close {
				c = s.dial()
			}
			c.send("GET /live/seg-8.m4s HTTP/1.1", "Host: o")
			good := c.response("GET")
			if got, err := io.ReadAll(good.Body); good.StatusCode != 200 || string(got) != "segment 8" || err != nil {
				t.Fatalf("%s, then: %s %q %v", tc.name, good.Status, got, err)
			}
		}
	}
}

func checkError(t *testing.T, tc badRequest, resp *http.Response, wantProblem bool) {
	t.Helper()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != tc.status || err != nil {
		t.Errorf("%s: %s, %q, %v; want %d", tc.name, resp.Status, got, err, tc.status)
	}
	if resp.Header.Get("Content-Length") == "" || resp.ContentLength <= 0 {
		t.Errorf("%s: not framed: %v", tc.name, resp.Header)
	}
	for name, want := range map[string]string{"Vary": "Accept", "X-Content-Type-Options": "nosniff", "Server": DefaultConfig().UserAgent} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q", tc.name, name, got)
		}
	}
	if resp.Header.Get("Cache-Control") == "" || resp.Header.Get("Date") == "" || resp.Header.Get("ETag") != "" {
		t.Errorf("%s: %v", tc.name, resp.Header)
	}
	if needsAllow := tc.status == 405 || tc.status == 501; needsAllow != (resp.Header.Get("Allow") != "") {
		t.Errorf("%s: Allow %q", tc.name, resp.Header.Get("Allow"))
	}
	if tc.status == 416 && resp.Header.Get("Content-Range") != "bytes */9" {
		t.Errorf("%s: Content-Range %q", tc.name, resp.Header.Get("Content-Range"))
	}
	if resp.Request.Method == http.MethodHead {
		return
	}
	if !wantProblem {
		if ct := resp.Header.Get("Content-Type"); ct != "text/plain; charset=utf-8" || !strings.HasSuffix(string(got), ".\n") {
			t.Errorf("%s: %s: %q", tc.name, ct, got)
		}
		return
	}
	var p struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal(got, &p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" ||
		p.Status != tc.status || p.Title != http.StatusText(tc.status) || p.Detail == "" {
		t.Errorf("%s: %s: %q, %v", tc.name, resp.Header.Get("Content-Type"), got, err)
	}
}

func TestWhoGetsAProblem(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "text/html, */*;q=0.1": false, "application/problem+json": true,
		"application/json": true, "Application/JSON;q=0.9, */*": true, "text/html, application/problem+json;q=0.5": true,
	} {
		if got := wantsProblem(accept); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

// TestContentThatNeverComes has requests whose content is announced, is of no
// use and does not come: the answer must not wait for it for ever.
func TestContentThatNeverComes(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.UploadTimeout = Duration(100 * time.Millisecond); m.Path = "/live" }))
	s.put("/live/seg-1.m4s", "x")
	for line, status := range map[string]int{
		"GET /live/seg-1.m4s HTTP/1.1":     200,
		"DELETE /live/nothing HTTP/1.1":    404,
		"OPTIONS /live/seg-1.m4s HTTP/1.1": 204,
		"PATCH /live/seg-1.m4s HTTP/1.1":   405,
		"PUT /elsewhere HTTP/1.1":          404,
		"PUT /live/../x HTTP/1.1":          400,
	} {
		for _, framing := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
			c := s.dial()
			c.send(line, "Host: o", framing)
			method, _, _ := strings.Cut(line, " ")
			if resp := c.response(method); resp.StatusCode != status || !resp.Close {
				t.Errorf("%s with %s: %s, closes %v", line, framing, resp.Status, resp.Close)
			}
		}
	}
}

// TestContentIsNoRequest sends a request as the content of another, for a file
// that grows: that reply is written to a connection taken from net/http.
func TestContentIsNoRequest(t *testing.T) {
	const content = "GET /live/seg-8.m4s HTTP/1.1\r\nHost: o\r\n\r\n"
	for _, framing := range []string{"Content-Length: " + strconv.Itoa(len(content)), "Transfer-Encoding: chunked"} {
		s := start(t)
		up := channel(s)
		c := s.dial()
		c.send("GET /live/seg-9.m4s HTTP/1.1", "Host: o", framing)
		text := content
		if framing == "Transfer-Encoding: chunked" {
			text = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(content), content)
		}
		_, _ = io.WriteString(c, text)
		resp := c.response("GET")
		expect(t, resp.Body, "under way")
		c.send("GET /nothing HTTP/1.1", "Host: o")
		up.end()
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		if next := c.response("GET"); next.StatusCode != http.StatusNotFound {
			t.Errorf("%s: the next reply is %s, %v", framing, next.Status, next.Header)
		}
	}
}

// TestStoreErrors is what the store says, as the client sees it.
func TestStoreErrors(t *testing.T) {
	for err, want := range map[error]struct {
		status int
		retry  string
	}{
		segstore.ErrName:           {400, ""},
		segstore.ErrIsDir:          {409, ""},
		segstore.ErrReadOnly:       {405, ""},
		segstore.ErrOverBudget:     {507, ""},
		segstore.ErrTooManyWaiters: {503, "1"},
		segstore.ErrClosed:         {503, "1"},
		io.ErrClosedPipe:           {500, ""},
	} {
		e := asHTTPError(err)
		if e.status != want.status || e.header.Get("Retry-After") != want.retry || e.kind != kindError || e.detail == "" {
			t.Errorf("%v: %d, %v", err, e.status, e.header)
		}
	}
}
