package origin

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// restMost is how much of a body that nobody asked for is read, so that the
// connection can be used again.
const restMost = 64 << 10

// leaveBody sees to a request body that was not read to its end. net/http reads
// the rest of it before it writes the reply, however long that takes, and a
// connection taken from it must not go on with the rest as if that were a
// request. An upload that is refused is not waited for: its connection closes.
func leaveBody(r *http.Request, rc *http.ResponseController, up *upload, rep *reply, m *mount) {
	if r.ProtoMajor != 1 || r.ContentLength == 0 || up.ended {
		return
	}
	timeout := requestHeadTime
	if m != nil {
		timeout = time.Duration(m.cfg.UploadTimeout)
	}
	if up.extended.IsZero() { // else it has a deadline
		_ = rc.SetReadDeadline(time.Now().Add(timeout)) // a connection that has gone needs none
	}
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		rep.close = true
		return
	}
	if _, err := io.CopyN(io.Discard, r.Body, restMost+1); !errors.Is(err, io.EOF) {
		rep.close = true
		return
	}
	_ = rc.SetReadDeadline(time.Time{}) // likewise
}

// How long a refused upload is still read and thrown away, in all and for one
// read: after the reply over HTTP/1.1, where a sender that is still sending sees
// it only if its connection is not reset under it first, and before the reply
// over HTTP/2, where some senders forget the reply when their stream is reset.
//
// Over HTTP/1.1 the reply is out already, and silence costs nobody anything: a
// sender whose window was closed, or who has lost a packet, may be silent for more
// than a second. Over HTTP/2 silence holds the reply up.
const (
	lingerTime      = 5 * time.Second
	lingerSilence   = 2 * time.Second
	lingerSilenceH2 = 500 * time.Millisecond
)

// refusesRest tells that the sender of an upload may still be sending. One that
// stood still, or waits for leave to send (Expect: 100-continue), is not; over
// HTTP/2 net/http does not tell who waits, and to read would give the leave.
func refusesRest(r *http.Request, up *upload, rep *reply) bool {
	switch {
	case !rep.close, up.ended, rep.status == http.StatusRequestTimeout:
		return false
	}
	return up.read > 0 || r.ProtoMajor == 1 && r.Header.Get("Expect") == ""
}

// linger reads on until the sender stops, with a bound.
func linger(r *http.Request, rc *http.ResponseController) {
	silence := lingerSilence
	if r.ProtoMajor > 1 {
		silence = lingerSilenceH2
	}
	buf := make([]byte, 32<<10)
	for until := time.Now().Add(lingerTime); time.Now().Before(until); {
		if rc.SetReadDeadline(time.Now().Add(silence)) != nil {
			return
		}
		if _, err := r.Body.Read(buf); err != nil {
			return
		}
	}
}
