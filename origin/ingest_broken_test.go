package origin

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"
)

// nothingLeft holds that no upload is under way and no memory is taken for one
// that failed: the files that are there are all there is.
func (s *testServer) nothingLeft(t *testing.T, files int, bytes int64) {
	t.Helper()
	eventually(t, "all is given back", func() bool {
		st := s.mounts[0].store.Stats()
		return st.Growing == 0 && st.Files == files && st.Bytes == bytes && s.Stats() == Stats{}
	})
}

// TestTheSizeLimit has uploads up to maxs, and above it with and without a
// length, over nothing and over a version before.
func TestTheSizeLimit(t *testing.T) {
	const limit = 100_000
	dir := t.TempDir()
	whole, tooLarge := strings.Repeat("w", limit), strings.Repeat("x", limit+1)
	for kind, store := range map[string]string{"memory": GMem, "directory": dir} {
		s := start(t, noHold, withTLS(t), withMount(func(m *Mount) { m.MaxUpload = limit; m.Store = store }))
		for _, d := range s.doors() {
			for framing, content := range framings {
				for _, before := range []bool{false, true} {
					status, body := 404, ""
					if before {
						status, body = 200, "old"
						s.put("/seg-1.m4s", "old")
					}
					if a := d.send(t, "PUT", "/seg-1.m4s", content(tooLarge)); a.StatusCode != http.StatusRequestEntityTooLarge {
						t.Errorf("%s, %s, %s: %s", kind, d.name, framing, a.Status)
					}
					d.wants(t, "GET", "/seg-1.m4s", nil, status, body)
				}
				d.wants(t, "PUT", "/seg-1.m4s", content(whole), 204, "")
				d.wants(t, "GET", "/seg-1.m4s", nil, 200, whole)
				d.wants(t, "DELETE", "/seg-1.m4s", nil, 200, "")
			}
		}
		s.nothingLeft(t, 0, 0)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("left on disk: %v, %v", entries, err)
	}
}

// waysToBreak return the status that the sender is told, or 0 when it is gone.
// net/http's client does not take an answer over HTTP/1.1 while it waits for
// content; TestAStalledUploadIsToldWhy looks at the wire.
var waysToBreak = map[string]func(*pipedUpload) (status int){
	"stalled": func(u *pipedUpload) int {
		if u.major == 1 {
			return 0
		}
		return http.StatusRequestTimeout
	},
	"too large": func(u *pipedUpload) int {
		u.feed(strings.Repeat("x", 2000))
		return http.StatusRequestEntityTooLarge
	},
	"vanished": func(u *pipedUpload) int { u.cancel(); return 0 },
	"given up": func(u *pipedUpload) int { _ = u.CloseWithError(io.ErrNoProgress); return 0 },
}

// TestHowUploadsBreak breaks an upload in every way, over each protocol, with a
// reader on it, and over nothing and a version before.
func TestHowUploadsBreak(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, noHold, withTLS(t), withMount(store), withMount(func(m *Mount) {
			m.MaxUpload, m.UploadTimeout = 1000, Duration(300*time.Millisecond)
		}))
		for _, d := range s.doors() {
			for how, breakOff := range waysToBreak {
				for _, before := range []string{"", "old"} {
					t.Run(strings.Join([]string{kind, d.name, how, before}, ", "), func(t *testing.T) {
						s.breakUpload(t, d, before, breakOff)
					})
				}
			}
		}
		s.nothingLeft(t, 0, 0)
	}
}

func (s *testServer) breakUpload(t *testing.T, d door, before string, breakOff func(*pipedUpload) int) {
	t.Helper()
	status := 404
	if before != "" {
		status = 200
		s.put("/seg-1.m4s", before)
		defer s.do("DELETE", "/seg-1.m4s", "")
	}
	up := d.upload(t, "/seg-1.m4s")
	up.feed("some bytes")
	eventually(t, "the new version is seen", func() bool {
		f, err := s.mounts[0].store.Lookup("seg-1.m4s")
		return err == nil && f.View().Size() >= 10
	})
	resp, err := d.client.Get(d.url + "/seg-1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	expect(t, resp.Body, "some bytes")
	want := breakOff(up)
	if rest, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("%d bytes and a clean end", len(rest))
	}
	if want != 0 {
		if got := up.answer(); got.status != want {
			t.Errorf("the sender is told %d, %v; want %d", got.status, got.err, want)
		}
	}
	eventually(t, "the version before is back", func() bool {
		a := d.send(t, "GET", "/seg-1.m4s", nil)
		return a.StatusCode == status && (before == "" || a.body == before && a.err == nil)
	})
}

// pipedUpload is a PUT without a length, fed by the test, over any protocol.
type pipedUpload struct {
	*io.PipeWriter
	t      *testing.T
	major  int // version of HTTP
	cancel context.CancelFunc
	result chan uploadResult // gets one
}

type uploadResult struct {
	status int
	err    error
}

func (d door) upload(t *testing.T, path string) *pipedUpload {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, d.url+path, r)
	if err != nil {
		t.Fatal(err)
	}
	u := &pipedUpload{w, t, d.major, cancel, make(chan uploadResult, 1)}
	t.Cleanup(func() { cancel(); _ = w.Close() })
	go func() {
		resp, err := d.client.Do(req)
		if err != nil {
			u.result <- uploadResult{err: err}
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		u.result <- uploadResult{resp.StatusCode, err}
	}()
	return u
}

// feed sends content; the client may have stopped taking it.
func (u *pipedUpload) feed(s string) { _, _ = io.WriteString(u, s) }

// answer waits for what the sender is told.
func (u *pipedUpload) answer() uploadResult {
	u.t.Helper()
	select {
	case got := <-u.result:
		return got
	case <-time.After(patience):
		u.t.Fatal("the sender is told nothing")
		return uploadResult{}
	}
}

// end ends the upload well and returns its status.
func (u *pipedUpload) end() int {
	u.t.Helper()
	_ = u.Close()
	got := u.answer()
	if got.err != nil {
		u.t.Fatal(got.err)
	}
	return got.status
}

// TestBrokenFraming is content that is not what HTTP/1.1 says it should be.
func TestBrokenFraming(t *testing.T) {
	for name, tc := range map[string]struct {
		framing, content string
		status           int // 0: the connection just closes
	}{
		"no size":             {"Transfer-Encoding: chunked", "5\r\nhello\r\n\r\n", 400},
		"size in no hex":      {"Transfer-Encoding: chunked", "5\r\nhello\r\nxyz\r\n", 400},
		"negative size":       {"Transfer-Encoding: chunked", "5\r\nhello\r\n-1\r\n", 400},
		"size too large":      {"Transfer-Encoding: chunked", "5\r\nhello\r\nfffffffffffffffff\r\n", 400},
		"chunk not ended":     {"Transfer-Encoding: chunked", "5\r\nhellooooo\r\n0\r\n\r\n", 400},
		"at once":             {"Transfer-Encoding: chunked", "x\r\n", 400},
		"no known coding":     {"Transfer-Encoding: gzip, chunked", "5\r\nhello\r\n0\r\n\r\n", 501},
		"two lengths":         {"Content-Length: 5\r\nContent-Length: 6", "hello!", 400},
		"length not a number": {"Content-Length: five", "hello", 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, noHold)
			s.put("/seg-1.m4s", "old")
			c := s.dial()
			c.send("PUT /seg-1.m4s HTTP/1.1", "Host: o", tc.framing)
			_, _ = io.WriteString(c, tc.content)
			if resp := c.response("PUT"); resp.StatusCode != tc.status || !resp.Close {
				t.Errorf("%s, closes %v", resp.Status, resp.Close)
			}
			if a := s.do("GET", "/seg-1.m4s", ""); a.body != "old" {
				t.Errorf("now %s %q", a.Status, a.body)
			}
			_ = s.do("DELETE", "/seg-1.m4s", "")
			s.nothingLeft(t, 0, 0)
		})
	}
}

// TestALengthThatIsNotMet closes the sending side before the announced end.
func TestALengthThatIsNotMet(t *testing.T) {
	s := start(t, noHold)
	c := s.dial()
	c.send("PUT /seg-1.m4s HTTP/1.1", "Host: o", "Content-Length: 10")
	_, _ = io.WriteString(c, "only")
	s.growingFile("/seg-1.m4s", 4)
	_, resp := s.openGet("/seg-1.m4s")
	_ = c.Close()
	if got, err := io.ReadAll(resp.Body); err == nil || string(got) != "only" {
		t.Errorf("%q, %v", got, err)
	}
	eventually(t, "it has gone", func() bool { return s.do("GET", "/seg-1.m4s", "").StatusCode == 404 })
	s.nothingLeft(t, 0, 0)
}

// TestARefusedUploadLeavesTheOthersAlone is HTTP/2, where many uploads share a
// connection.
func TestARefusedUploadLeavesTheOthersAlone(t *testing.T) {
	s := start(t, withTLS(t), withMount(func(m *Mount) { m.MaxUpload = 100 }))
	for _, d := range s.doors()[1:] {
		good := d.upload(t, "/seg-1.m4s")
		good.feed("begun")
		s.growingFile("/seg-1.m4s", 5)
		for framing, content := range framings {
			reused := false
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
			if a := d.sendContext(ctx, t, "PUT", "/seg-2.m4s", content(strings.Repeat("x", 101))); a.StatusCode != 413 || !reused {
				t.Errorf("%s, %s: %s, on the same connection %v", d.name, framing, a.Status, reused)
			}
		}
		good.feed(" and done")
		if status := good.end(); status != 201 {
			t.Errorf("%s: %d", d.name, status)
		}
		d.wants(t, "GET", "/seg-1.m4s", nil, 200, "begun and done")
		d.wants(t, "DELETE", "/seg-1.m4s", nil, 200, "")
	}
}

// TestNoDeadlineIsLeft waits, on one connection, until every deadline that a
// request set has passed, and goes on with it.
func TestNoDeadlineIsLeft(t *testing.T) {
	const timeout = 100 * time.Millisecond
	s := start(t, withMount(func(m *Mount) {
		m.UploadTimeout, m.ViewerTimeout = Duration(timeout), Duration(timeout)
		m.Policy = policies["first-wins"] // the second upload is discarded
	}))
	c := s.dial()
	for _, r := range []struct {
		head   []string
		body   string
		status int
	}{
		{[]string{"PUT /seg-1.m4s HTTP/1.1", "Content-Length: 5"}, "hello", 201},
		{[]string{"PUT /seg-1.m4s HTTP/1.1", "Content-Length: 5"}, "other", 200},
		{[]string{"PUT /seg-3.m4s HTTP/1.1", "Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n", 201},
		{[]string{"POST / HTTP/1.1", "Content-Length: 0"}, "", 200},
		{[]string{"POST / HTTP/1.1", "Transfer-Encoding: chunked"}, "0\r\n\r\n", 200},
		{[]string{"GET /seg-1.m4s HTTP/1.1"}, "", 200},
		{[]string{"GET /seg-1.m4s HTTP/1.1", "Content-Length: 2"}, "xx", 200},
		{[]string{"DELETE /seg-3.m4s HTTP/1.1", "Transfer-Encoding: chunked"}, "0\r\n\r\n", 200},
		{[]string{"GET /nothing HTTP/1.1"}, "", 404},
	} {
		c.send(append(r.head, "Host: o")...)
		_, _ = io.WriteString(c, r.body)
		method, _, _ := strings.Cut(r.head[0], " ")
		resp := c.response(method)
		if _, err := io.ReadAll(resp.Body); resp.StatusCode != r.status || resp.Close || err != nil {
			t.Fatalf("%s: %s, closes %v, %v", r.head[0], resp.Status, resp.Close, err)
		}
		time.Sleep(timeout + timeout/2)
	}
}
