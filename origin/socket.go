package origin

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// bareSocket is a plain HTTP/1.1 connection taken from net/http for the time
// of one reply.
type bareSocket struct {
	conn *net.TCPConn
	pre  []byte // what was read from conn beyond the request
	info *connection
	all  *connections
}

// close closes the connection, and takes it off the books.
func (s bareSocket) close() {
	_ = s.conn.Close() // what could be sent was sent
	s.all.leave(s.conn)
}

// takeSocket takes the connection of a plain HTTP/1.1 request. Not over TLS,
// where a write is encrypted anyway, nor for HTTP/1.0, which has no chunks, nor
// when the rest of the request was not read: it must not be taken for the next.
func (l *netLane) takeSocket(r *http.Request, rc *http.ResponseController, rep *reply) (bareSocket, bool) {
	if rep.close || r.TLS != nil || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1 {
		return bareSocket{}, false
	}
	if !l.server.followers.enter() {
		return bareSocket{}, false
	}
	conn, brw, err := rc.Hijack()
	if err != nil {
		l.server.followers.leave()
		return bareSocket{}, false
	}
	s := bareSocket{pre: unread(brw.Reader), info: connectionOf(r.Context()), all: l.server.conns}
	switch c := conn.(type) {
	case *net.TCPConn:
		s.conn = c
		return s, true
	case *resumedConn:
		s.conn, s.pre = c.TCPConn, append(s.pre, c.pre...)
		return s, true
	}
	panic("origin: a listener made a connection that is neither TCP nor handed back")
}

func unread(r *bufio.Reader) []byte {
	p, _ := r.Peek(r.Buffered()) // what is buffered needs no read that could fail
	return bytes.Clone(p)
}

// socketViewer is a viewer of a growing file on a bare socket. One goroutine
// at a time has it: its own while it catches up, the crowd's while it waits.
type socketViewer struct {
	bareSocket
	lane     *netLane
	mount    *mount
	follower *follower
	batch    *socketBatch
	raw      syscall.RawConn
	last     bool            // the connection ends with the reply
	done     func(err error) // is called when the request is over
	unsent   []byte          // what the socket did not take of the crowd's last write
	final    bool            // unsent has the end of the reply
}

// followSocket begins the reply to the bare socket. The viewer outlives the
// call, and has the body.
func (l *netLane) followSocket(r *http.Request, m *mount, rep *reply, b *growingBody, s bareSocket, done func(error)) {
	batch := &socketBatch{conn: s.conn, chunked: b.size < 0, head: replyHead(rep, b.size, r.Close || rep.last)}
	v := &socketViewer{bareSocket: s, lane: l, mount: m, batch: batch, follower: m.newFollower(b, batch), last: r.Close || rep.last, done: done}
	var err error
	if v.raw, err = s.conn.SyscallConn(); err != nil {
		v.end(err)
		return
	}
	v.run()
}

// run writes what there is to write, and then waits in the crowd. A file with
// an offset to stop at is followed in this goroutine.
func (v *socketViewer) run() {
	stop := context.AfterFunc(v.lane.server.base, func() { _ = v.conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	ended, err := v.catchUp()
	for body := v.follower.body; !ended && err == nil && body.to < endless; ended, err = v.catchUp() {
		select {
		case <-body.reader.Changed():
		case <-v.lane.server.base.Done():
			v.end(context.Cause(v.lane.server.base))
			return
		}
	}
	if ended || err != nil {
		v.end(err)
		return
	}
	v.lane.server.crowds.join(v)
}

func (v *socketViewer) catchUp() (ended bool, err error) {
	if len(v.unsent) > 0 {
		v.follower.deadline.extend()
		if _, err := v.conn.Write(v.unsent); err != nil {
			return false, err
		}
		v.unsent = nil
		if v.final {
			return true, nil
		}
	}
	ended, err = v.follower.catchUp()
	if ended || err != nil || v.batch.head == nil {
		return ended, err
	}
	v.follower.deadline.extend()
	return false, v.batch.write(nil, 0, false) // the headers, ahead of the first byte
}

// end hands the connection back for its next request. A transfer that broke
// closes it, without the last chunk.
func (v *socketViewer) end(err error) {
	defer v.lane.server.followers.leave()
	v.follower.body.release()
	v.mount.leave(v.follower, err)
	v.done(err)
	if err != nil || v.last {
		v.bareSocket.close()
		return
	}
	v.lane.back.give(v.bareSocket)
}

// replyHead renders the status line and the headers (RFC 9112 sections 4, 5).
func replyHead(rep *reply, size int64, closing bool) []byte {
	var buf bytes.Buffer
	buf.WriteString("HTTP/1.1 " + strconv.Itoa(rep.status) + " " + http.StatusText(rep.status) + "\r\n")
	rep.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if size >= 0 {
		rep.header.Set("Content-Length", strconv.FormatInt(size, 10))
	} else {
		rep.header.Set("Transfer-Encoding", "chunked")
	}
	if closing {
		rep.header.Set("Connection", "close")
	}
	_ = rep.header.Write(&buf) // a bytes.Buffer takes all
	buf.WriteString("\r\n")
	return buf.Bytes()
}

// socketBatch writes batches to a socket, each with one system call: the size
// line of the chunk, its bytes from the file's own blocks, and its end.
type socketBatch struct {
	conn    *net.TCPConn
	chunked bool
	head    []byte // goes with the first write

	line  []byte   // scratch for the size line
	iov   [][]byte // scratch for what is written
	toOut net.Buffers
}

var (
	crlf      = []byte("\r\n")
	lastChunk = []byte("0\r\n\r\n")
	endChunk  = []byte("\r\n0\r\n\r\n")
)

func (b *socketBatch) write(slices [][]byte, n int64, last bool) error {
	iov := b.iov[:0]
	if b.head != nil {
		iov = append(iov, b.head)
		b.head = nil
	}
	if b.chunked && n > 0 {
		b.line = append(strconv.AppendInt(b.line[:0], n, 16), crlf...)
		iov = append(iov, b.line)
	}
	iov = append(iov, slices...)
	switch {
	case !b.chunked:
	case last && n > 0:
		iov = append(iov, endChunk)
	case last:
		iov = append(iov, lastChunk)
	case n > 0:
		iov = append(iov, crlf)
	}
	b.iov = iov
	b.toOut = iov
	_, err := b.toOut.WriteTo(b.conn)
	return err
}

func (b *socketBatch) setDeadline(t time.Time) error { return b.conn.SetWriteDeadline(t) }

var _ io.ReaderFrom = (*resumedConn)(nil) // sendfile must survive the hand-back
