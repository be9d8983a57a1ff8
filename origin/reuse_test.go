package origin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestContentIsNeverARequest: a GET with content that is not read to its end
// must not leave the rest for the next request of its connection.
func TestContentIsNeverARequest(t *testing.T) {
	inner := "GET /seg-8.m4s HTTP/1.1\r\nHost: o\r\n\r\n"
	for name, late := range map[string]bool{"more than is read": false, "later than is waited for": true} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withMount(func(m *Mount) { m.UploadTimeout = Duration(500 * time.Millisecond) }))
			s.put("/seg-8.m4s", "secret")
			c := s.dial()
			s.put("/seg-9.m4s", "x")
			content := inner
			if !late {
				content = strings.Repeat("x", restMost+1) + inner
			}
			up := s.upload("/seg-10.m4s")
			up.chunk("under way")
			s.growingFile("/seg-10.m4s", 9)
			ended := make(chan struct{})
			go keepFeeding(up, ended)
			c.send("GET /seg-10.m4s HTTP/1.1", "Host: o", fmt.Sprintf("Content-Length: %d", len(content)))
			if !late {
				_, _ = io.WriteString(c, content)
			}
			resp := c.response("GET")
			if late {
				_, _ = io.WriteString(c, content)
			}
			close(ended)
			_, _ = io.ReadAll(resp.Body)
			if next, err := http.ReadResponse(c.br, nil); err == nil {
				t.Errorf("content was taken for a request: %s", next.Status)
			}
		})
	}
}

// keepFeeding keeps an upload from standing still, and ends it.
func keepFeeding(up *liveUpload, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			_, _ = io.WriteString(up, "0\r\n\r\n")
			return
		case <-time.After(50 * time.Millisecond):
			_, _ = io.WriteString(up, "1\r\nx\r\n")
		}
	}
}

// TestRequestsSentAhead has several requests for a growing file in one packet.
func TestRequestsSentAhead(t *testing.T) {
	s := start(t)
	up := s.upload("/a-1.m4s")
	up.chunk("first,")
	s.growingFile("/a-1.m4s", 6)
	c := s.dial()
	const ahead = 5
	_, _ = io.WriteString(c, strings.Repeat("GET /a-1.m4s HTTP/1.1\r\nHost: o\r\n\r\n", ahead)+"GET /no HTTP/1.1\r\nHost: o\r\n\r\n")
	for i := range ahead {
		resp := c.response("GET")
		if i == 0 {
			expect(t, resp.Body, "first,")
			up.chunk("last")
			up.end()
		}
		want := "first,last"
		if i == 0 {
			want = "last"
		}
		if got, err := io.ReadAll(resp.Body); string(got) != want || err != nil {
			t.Fatalf("answer %d: %q, %v", i, got, err)
		}
	}
	if resp := c.response("GET"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the last one: %s", resp.Status)
	}
}

// TestAnIdleConnectionIsClosed after timeout, whether or not it was taken for a
// growing file.
func TestAnIdleConnectionIsClosed(t *testing.T) {
	s := start(t, func(c *Config) { c.Timeout = Duration(200 * time.Millisecond) })
	s.put("/done.m4s", "done")
	up := s.upload("/a-1.m4s")
	up.chunk("begin ")
	s.growingFile("/a-1.m4s", 6)
	for _, path := range []string{"/done.m4s", "/a-1.m4s"} {
		c := s.dial() // its own deadline is far off
		c.send("GET "+path+" HTTP/1.1", "Host: origin")
		resp := c.response("GET")
		if path == "/a-1.m4s" {
			up.end()
		}
		_, _ = io.ReadAll(resp.Body)
		if _, err := c.br.ReadByte(); err != io.EOF {
			t.Errorf("%s: %v, want the end", path, err)
		}
	}
}

// TestWaitingIsNotSlow has a viewer wait for longer than a write may take.
func TestWaitingIsNotSlow(t *testing.T) {
	const patience = 100 * time.Millisecond
	s := start(t, withTLS(t), withMount(func(m *Mount) { m.ViewerTimeout = Duration(patience) }))
	viewers := s.clients()
	for name, c := range s.tlsClients() {
		viewers["TLS "+name] = c
	}
	for name, client := range viewers {
		t.Run(name, func(t *testing.T) {
			url := s.url
			if strings.HasPrefix(name, "TLS") {
				url = s.URLs()[1]
			}
			up := s.upload("/a-1.m4s")
			up.chunk("first,")
			s.growingFile("/a-1.m4s", 6)
			resp, err := client.Get(url + "/a-1.m4s")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			expect(t, resp.Body, "first,")
			time.Sleep(5 * patience)
			up.chunk("second")
			up.end()
			if got, err := io.ReadAll(resp.Body); string(got) != "second" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			_ = s.do("DELETE", "/a-1.m4s", "")
		})
	}
}
