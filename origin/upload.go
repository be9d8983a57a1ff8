package origin

import (
	"io"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// upload is the body of a PUT or POST. It ends a body that is larger than the
// limit or that stands still.
type upload struct {
	body        io.Reader
	length      int64 // announced, or -1
	arrival     segstore.Arrival
	setDeadline func(time.Time) error

	// Set by the mount before the first Read.
	limit    int64         // largest body; 0: no limit
	stall    time.Duration // longest wait for a byte
	received tally

	read     int64
	ended    bool // EOF was seen
	extended time.Time
}

// Read reads the body, at most one byte beyond the limit.
func (u *upload) Read(p []byte) (int, error) {
	if u.limit > 0 {
		p = p[:min(int64(len(p)), u.limit-u.read+1)]
	}
	if err := u.extend(); err != nil {
		return 0, err
	}
	n, err := u.body.Read(p)
	u.read += int64(n)
	u.received.add(int64(n))
	u.ended = err == io.EOF
	if u.limit > 0 && u.read > u.limit {
		return n, errTooLarge
	}
	return n, err
}

// firstPatience is how many times longer than between bytes an upload may take to
// its first: ffmpeg opens the request for an HLS init segment when it starts,
// and has the bytes one segment later. Nobody reads it yet.
const firstPatience = 6

// first is Read for the first bytes.
func (u *upload) first(p []byte) (int, error) {
	stall := u.stall
	u.stall *= firstPatience
	n, err := u.Read(p)
	u.stall, u.extended = stall, time.Time{}
	return n, err
}

// extend moves the deadline, but not at every read: a deadline costs more than
// a small read does. An upload may so stand still for up to a quarter less than
// configured, never for more.
func (u *upload) extend() error {
	now := time.Now()
	if now.Sub(u.extended) < u.stall/4 {
		return nil
	}
	u.extended = now
	return u.setDeadline(now.Add(u.stall))
}

// done takes the deadline away once the body is in: the connection goes on.
func (u *upload) done() {
	_ = u.setDeadline(time.Time{}) // a connection that has gone needs none
}

// isStreamError tells that an HTTP/2 client gave its stream or connection up.
// net/http does not export the types.
func isStreamError(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "stream error") || strings.Contains(text, "client disconnected") ||
		strings.HasPrefix(text, "connection error") || strings.Contains(text, "http2:")
}
