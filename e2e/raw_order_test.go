package e2e

import (
	"fmt"
	"net"
	"testing"
)

// TestRawVersionsInOrder sends two versions of a name back to back, each on a
// connection of its own, without waiting for the first answer. ffmpeg does that
// with its manifests whenever it doesn't keep connections, above all at the end
// of a channel: the version that is sent second must be the one that stays.
func TestRawVersionsInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, suffix := range []string{".mpd", ".m3u8", ".m4s"} {
		const rounds = 50
		older := 0
		for i := range rounds {
			path := fmt.Sprintf("/live/order%c%s", 'a'+i%26, suffix) // no number: no track
			a := sendWhole(t, s, path, pattern(300, byte(2*i)))
			b := sendWhole(t, s, path, pattern(200, byte(2*i+1)))
			if sa, sb := a.status(t), b.status(t); sa/100 != 2 || sb/100 != 2 {
				t.Fatalf("%s: status %d and %d", path, sa, sb)
			}
			if d := fetch(t, s, path); string(d.body) != string(pattern(200, byte(2*i+1))) {
				older++
			}
		}
		if older > 0 {
			t.Errorf("%s: in %d of %d rounds the version that was sent first stayed", suffix, older, rounds)
		}
	}
}

// sendWhole uploads on a new connection and ends its own side of it.
func sendWhole(t *testing.T, s *server, path string, data []byte) *rawConn {
	t.Helper()
	c := dialRaw(t, s)
	c.startUpload(t, path)
	c.chunk(t, data)
	c.send(t, "0\r\n\r\n")
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return c
}
