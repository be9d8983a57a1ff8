package origin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestWhoSendsTooMuchIsTold sends all of a large upload before it looks for an
// answer: its connection must not be reset meanwhile.
func TestWhoSendsTooMuchIsTold(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.MaxUpload = 100 }))
	const size = 24 << 20
	for name, head := range map[string]string{
		"unknown length": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x", size),
		"known length":   fmt.Sprintf("Content-Length: %d", size),
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			end := "\r\n"
			if name == "known length" {
				end = "\r\n\r\n"
			}
			_, _ = io.WriteString(c, "PUT /seg-1.m4s HTTP/1.1\r\nHost: origin\r\n"+head+end)
			if _, err := io.WriteString(c, strings.Repeat("x", size)); err != nil {
				t.Fatalf("while sending: %v", err)
			}
			if resp := c.response("PUT"); resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
				t.Errorf("%s, close %v", resp.Status, resp.Close)
			}
		})
	}
}
