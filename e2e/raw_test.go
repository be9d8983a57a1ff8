package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rawConn is an HTTP/1.1 connection on which the test writes every byte itself.
type rawConn struct {
	net.Conn
	br *bufio.Reader
}

func dialRaw(t *testing.T, s *server) *rawConn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawConn{c, bufio.NewReader(c)}
}

func (c *rawConn) send(t *testing.T, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(c, format, args...); err != nil {
		t.Fatal(err)
	}
}

// startUpload sends the head of a chunked PUT.
func (c *rawConn) startUpload(t *testing.T, path string) {
	t.Helper()
	c.send(t, "PUT %s HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n", path)
}

func (c *rawConn) chunk(t *testing.T, data []byte) { c.send(t, "%x\r\n%s\r\n", len(data), data) }

// status reads one answer with its body.
func (c *rawConn) status(t *testing.T) int {
	t.Helper()
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatalf("the answer's body: %v", err)
	}
	return resp.StatusCode
}

// mustAppear waits until a growing file is there for others to read.
func mustAppear(t *testing.T, s *server, path string) {
	t.Helper()
	c := dialRaw(t, s)
	eventually(t, path+" growing", func() bool {
		c.send(t, "HEAD %s HTTP/1.1\r\nHost: o\r\n\r\n", path)
		resp, err := http.ReadResponse(c.br, &http.Request{Method: http.MethodHead})
		if err != nil {
			t.Fatalf("HEAD %s: %v", path, err)
		}
		return resp.StatusCode == http.StatusOK
	})
}

// reader follows one GET; its bytes can be awaited while they come.
type reader struct {
	*output
	head chan *http.Response // one value; nil when no answer came
	end  chan error          // one value
}

// startReader asks for path on a connection of its own.
func startReader(t *testing.T, s *server, path string, header ...string) *reader {
	t.Helper()
	c := dialRaw(t, s)
	c.send(t, "GET %s HTTP/1.1\r\nHost: o\r\n%s\r\n", path, strings.Join(append(header, ""), "\r\n"))
	r := &reader{newOutput(), make(chan *http.Response, 1), make(chan error, 1)}
	go func() {
		resp, err := http.ReadResponse(c.br, nil)
		r.head <- resp
		if err == nil {
			_, err = io.Copy(r, resp.Body)
		}
		r.end <- err
	}()
	return r
}

// await waits until the reader has at least n bytes.
func (r *reader) await(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d bytes at a reader", n), func() bool { return len(r.String()) >= n })
}

// mustEnd waits for the end and compares everything that came.
func (r *reader) mustEnd(t *testing.T, who string, clean bool, want []byte) {
	t.Helper()
	err := <-r.end
	if (err == nil) != clean || r.String() != string(want) {
		t.Errorf("%s: %d bytes (want %d), end: %v (want a clean one: %v)", who, len(r.String()), len(want), errOrClean(err), clean)
	}
}

// TestRawEncoderManners does what encoders do and libraries don't: DELETE with
// an empty chunked body, a probe without a body, a connection that ends without
// a request; all on one connection where it is possible.
func TestRawEncoderManners(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := dialRaw(t, s)
	for range 2 {
		c.startUpload(t, "/live/seg-1.m4s")
		c.chunk(t, pattern(1000, 1))
		c.send(t, "0\r\n\r\n")
		if got := c.status(t); got != 201 {
			t.Errorf("PUT: status %d", got)
		}
		c.send(t, "DELETE /live/seg-1.m4s HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		if got := c.status(t); got != 200 && got != 204 {
			t.Errorf("DELETE with an empty chunked body: status %d", got)
		}
		c.send(t, "POST /live/probe.m4s HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		if got := c.status(t); got/100 != 2 {
			t.Errorf("empty chunked POST: status %d", got)
		}
		c.send(t, "POST /live/probe.m4s HTTP/1.1\r\nHost: o\r\nContent-Length: 0\r\n\r\n")
		if got := c.status(t); got/100 != 2 {
			t.Errorf("empty POST: status %d", got)
		}
		for _, name := range []string{"/live/seg-1.m4s", "/live/probe.m4s"} {
			if got := statusOf(t, s, name); got != 404 && got != 410 {
				t.Errorf("%s: status %d, want nothing there", name, got)
			}
		}
	}
	for range 50 {
		_ = dialRaw(t, s).Close()
	}
	if got := statusOf(t, s, "/live/seg-1.m4s"); got != 404 && got != 410 {
		t.Errorf("after connections without a request: status %d", got)
	}
}

// TestRawHeldRequest asks for the segment after the newest. The question must
// stay open until the upload begins, and be answered with its bytes.
func TestRawHeldRequest(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := dialRaw(t, s)
	for n := 8; n <= 9; n++ {
		c.startUpload(t, fmt.Sprintf("/live/seg-%d.m4s", n))
		c.chunk(t, pattern(100, byte(n)))
		c.send(t, "0\r\n\r\n")
		if got := c.status(t); got != 201 {
			t.Fatalf("PUT: status %d", got)
		}
	}
	r := startReader(t, s, "/live/seg-10.m4s")
	select {
	case resp := <-r.head:
		t.Fatalf("answered before anything was sent: %v", resp)
	case <-time.After(300 * time.Millisecond): // an answer at once would have come by now
	}
	c.startUpload(t, "/live/seg-10.m4s")
	data := pattern(5000, 7)
	c.chunk(t, data[:2000])
	r.await(t, 2000)
	c.chunk(t, data[2000:])
	c.send(t, "0\r\n\r\n")
	if resp := <-r.head; resp == nil || resp.StatusCode != 200 {
		t.Errorf("the held request's answer: %v", resp)
	}
	r.mustEnd(t, "the held request", true, data)
}

// TestRawStalledUpload sends half a segment and then nothing, on a connection
// that stays open. Readers must be told within the bound, none before it.
func TestRawStalledUpload(t *testing.T) {
	t.Parallel()
	s := serve(t, "--upload-timeout", "1s", "--hold-timeout", "1s")
	c := dialRaw(t, s)
	c.startUpload(t, "/live/seg-1.m4s")
	data := pattern(5000, 7)
	c.chunk(t, data)
	mustAppear(t, s, "/live/seg-1.m4s")
	r := startReader(t, s, "/live/seg-1.m4s")
	r.await(t, len(data))
	r.mustEnd(t, "reader of a stalled upload", false, data)
	if got := statusOf(t, s, "/live/seg-1.m4s"); got != 404 {
		t.Errorf("after the cut: status %d", got)
	}
	// a slow upload that keeps sending is no stalled one
	slow := dialRaw(t, s)
	slow.startUpload(t, "/live/seg-2.m4s")
	for i := range 8 {
		slow.chunk(t, data[i*500:i*500+500])
		time.Sleep(250 * time.Millisecond)
	}
	slow.send(t, "0\r\n\r\n")
	if got := slow.status(t); got != 201 {
		t.Errorf("a slow upload: status %d", got)
	}
}

// TestRawReplaceWhileRead sends a name anew while the first version is read.
// Each reader stays on the version it began with.
func TestRawReplaceWhileRead(t *testing.T) {
	t.Parallel()
	s := serve(t)
	first, second := pattern(60_000, 1), pattern(50_000, 2)
	a, b := dialRaw(t, s), dialRaw(t, s)
	a.startUpload(t, "/live/seg-1.m4s")
	a.chunk(t, first[:20_000])
	mustAppear(t, s, "/live/seg-1.m4s")
	old := startReader(t, s, "/live/seg-1.m4s")
	old.await(t, 20_000)
	b.startUpload(t, "/live/seg-1.m4s")
	b.chunk(t, second[:10_000])
	var young *reader
	eventually(t, "the second version at a new reader", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		v := &viewer{addr: s.addr()}
		defer v.close()
		d, err := v.get(ctx, "/live/seg-1.m4s")
		return err == nil && bytes.HasPrefix(d.body, second[:10_000])
	})
	young = startReader(t, s, "/live/seg-1.m4s")
	young.await(t, 10_000)
	a.chunk(t, first[20_000:])
	a.send(t, "0\r\n\r\n")
	b.chunk(t, second[10_000:])
	b.send(t, "0\r\n\r\n")
	for _, c := range []*rawConn{a, b} {
		if got := c.status(t); got/100 != 2 {
			t.Errorf("an upload: status %d", got)
		}
	}
	old.mustEnd(t, "reader of the first version", true, first)
	young.mustEnd(t, "reader of the second version", true, second)
	if d := fetch(t, s, "/live/seg-1.m4s"); !bytes.Equal(d.body, second) {
		t.Errorf("afterwards: status %d, %d bytes that are not the second version", d.status, len(d.body))
	}
}
