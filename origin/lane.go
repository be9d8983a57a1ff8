package origin

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// netLane is the lane of net/http: HTTP/1.1 and HTTP/2, plain and TLS. It turns
// the request into a value, asks the server for the reply, and writes that.
type netLane struct {
	server *Server
	back   *handback // takes connections back whose growing file is written
}

// ServeHTTP implements http.Handler.
func (l *netLane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	up := &upload{body: r.Body, length: r.ContentLength, setDeadline: rc.SetReadDeadline}
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		up.arrival = arrivalOf(r)
	}
	req, err := l.server.newRequest(r)
	conn := connectionOf(r.Context())
	done, err := l.server.admitted(req, conn, err)
	ex := l.server.begin(r, req)
	rep, m := l.server.answer(r.Context(), req, err, up)
	l.server.countErrors(conn, req, rep)
	handedOver, whole := false, false
	defer func() {
		if handedOver {
			return
		}
		done()
		ex.end(rep, m, rep.sent, !whole || rep.status == statusGone)
		rep.over(broken(r, whole))
		if rep.body != nil {
			rep.body.release()
		}
	}()
	if m != nil {
		defer m.metrics.count(r.Method, rep.status)
	}
	if rep.status == statusGone {
		panic(http.ErrAbortHandler)
	}
	leaveBody(r, rc, up, rep, m)
	if (rep.close || rep.last) && r.ProtoMajor == 1 { // over HTTP/2 it would end all streams
		rep.header.Set("Connection", "close")
	}
	if b, ok := rep.body.(*growingBody); ok && r.Method == http.MethodGet {
		if bare, ok := l.takeSocket(r, rc, rep); ok {
			handedOver = true
			l.followSocket(r, m, rep, b, bare, func(err error) {
				done()
				ex.end(rep, m, b.sent, err != nil)
				rep.over(err)
			})
			return
		}
		l.writeGrowing(w, r, rc, m, rep, b)
		whole = true
		return
	}
	refused := refusesRest(r, up, rep)
	if refused && r.ProtoMajor == 1 {
		_ = rc.EnableFullDuplex() // else net/http waits for the rest before the reply
	} else if refused {
		linger(r, rc) // ahead of the reply, which would end the stream under the sender
	}
	if err := l.write(w, r, rc, m, rep); err != nil {
		panic(http.ErrAbortHandler)
	}
	whole = true
	if refused && r.ProtoMajor == 1 && rc.Flush() == nil {
		linger(r, rc)
	}
}

var errBroken = errors.New("the transfer broke off")

// broken says why a reply did not go out whole, or nil.
func broken(r *http.Request, whole bool) error {
	switch {
	case whole:
		return nil
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return errBroken
}

// writeDeadline bounds the writes of a reply. net/http takes it away afterwards.
func writeDeadline(m *mount, rc *http.ResponseController) rollingDeadline {
	timeout := requestHeadTime
	if m != nil {
		timeout = time.Duration(m.cfg.ViewerTimeout)
	}
	return rollingDeadline{timeout: timeout, set: rc.SetWriteDeadline}
}

// writeHead writes the status and the headers, with the length if it is known.
func writeHead(w http.ResponseWriter, rep *reply) {
	h := w.Header()
	maps.Copy(h, rep.header)
	switch {
	case rep.body != nil:
		if n := rep.body.length(); n >= 0 {
			h.Set("Content-Length", strconv.FormatInt(n, 10))
		}
	case rep.status != http.StatusNoContent && rep.status != http.StatusNotModified:
		h.Set("Content-Length", "0")
	}
	w.WriteHeader(rep.status)
}

// sameOrigin tells by Sec-Fetch-Site and Origin who sends what is not just a
// read. It has no state of its own.
var sameOrigin = http.NewCrossOriginProtection()

func (s *Server) newRequest(r *http.Request) (*request, error) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	req := &request{
		method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header,
		unframed: !r.ProtoAtLeast(1, 1), crossOrigin: sameOrigin.Check(r) != nil,
		host: r.Host, port: peer.Port(), conn: connectionOf(r.Context()).id,
		tls: r.TLS != nil, clientCert: r.TLS != nil && len(r.TLS.VerifiedChains) > 0,
	}
	req.direct = peer.Addr().Unmap()
	req.peer, req.forwarded = s.conns.forwardedFor(req.direct, r.Header)
	if err != nil {
		return req, fail(http.StatusBadRequest, "The peer's address is not an IP address.")
	}
	clean, dir, err := cleanPath(r.URL.Path)
	if err == nil {
		req.path, req.dir = clean, dir
	}
	return req, err
}

// write writes a reply whose body is nothing, bytes, or sections of a complete
// file.
func (l *netLane) write(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, m *mount, rep *reply) error {
	if b, ok := rep.body.(*streamBody); ok {
		return l.writeStream(w, r, rc, m, rep, b)
	}
	d := writeDeadline(m, rc)
	d.extend()
	writeHead(w, rep)
	if r.Method == http.MethodHead {
		return nil
	}
	switch b := rep.body.(type) {
	case bytesBody:
		n, err := w.Write(b)
		rep.sent = int64(n)
		return err
	case *sectionsBody:
		n, err := writeSections(w, b, &d)
		rep.sent = n
		countSent(m, n)
		return countCutOf(m, d.explain(err))
	}
	return nil
}

// writeGrowing follows a file to the viewer. When the transfer breaks, so does
// the connection or stream: the viewer must not take what it has for all.
func (l *netLane) writeGrowing(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, m *mount, rep *reply, b *growingBody) {
	d := writeDeadline(m, rc)
	d.extend()
	writeHead(w, rep)
	if err := rc.Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	d.clear() // the head is out; the follower has deadlines of its own
	err := m.follow(r.Context(), b, &responseBatch{w: w, rc: rc})
	rep.sent = b.sent
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// responseBatch writes batches through net/http.
type responseBatch struct {
	w  io.Writer
	rc *http.ResponseController
}

func (b *responseBatch) write(slices [][]byte, _ int64, last bool) error {
	for _, s := range slices {
		if _, err := b.w.Write(s); err != nil {
			return err
		}
	}
	if last {
		return nil // net/http flushes at the end, with the end
	}
	return b.rc.Flush()
}

func (b *responseBatch) setDeadline(t time.Time) error { return b.rc.SetWriteDeadline(t) }

// writeSections writes a complete file, or parts of it. From disk it is
// sendfile that moves the bytes, wherever net/http can use it.
func writeSections(w io.Writer, b *sectionsBody, d *rollingDeadline) (int64, error) {
	var total int64
	for _, s := range b.sections {
		d.extend()
		if _, err := w.Write(s.head); err != nil {
			return total, err
		}
		n, err := writeSpan(w, b, span{s.from, s.to}, d)
		total += n
		if err != nil {
			return total, err
		}
	}
	_, err := w.Write(b.tail)
	return total, err
}

// sendPiece is how much of a complete file is sent under one deadline.
const sendPiece = 256 << 10

func writeSpan(w io.Writer, b *sectionsBody, s span, d *rollingDeadline) (int64, error) {
	f := b.file.OnDisk()
	if f != nil {
		if _, err := f.Seek(s.from, io.SeekStart); err != nil {
			return 0, err
		}
	}
	var total int64
	for s.from < s.to {
		d.extend()
		piece := min(s.to-s.from, sendPiece)
		var n int64
		var err error
		if f != nil {
			n, err = io.CopyN(w, f, piece)
		} else {
			n, err = writeSlices(w, b.file.AppendSlices(nil, s.from, s.from+piece))
		}
		total += n
		if err != nil {
			return total, err
		}
		s.from += piece
	}
	return total, nil
}

func writeSlices(w io.Writer, slices [][]byte) (total int64, err error) {
	for _, s := range slices {
		n, err := w.Write(s)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
