package push

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// rawServer answers each connection by a function of what it reads.
func rawServer(t *testing.T, serve func(c net.Conn, r *textproto.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			serve(c, textproto.NewReader(bufio.NewReader(c)))
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String()
}

// A big file is sent only once the server wants it, a growing one at once.
func TestExpectContinue(t *testing.T) {
	heads := make(chan textproto.MIMEHeader, 4)
	url := rawServer(t, func(c net.Conn, r *textproto.Reader) {
		_, _ = r.ReadLine()
		h, _ := r.ReadMIMEHeader()
		heads <- h
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	c := newTestClient(t, Destination{URL: url})
	big := strings.Repeat("x", expectFrom)
	var status *StatusError
	if err := c.Put(t.Context(), "x", "", expectFrom, newReader(big)); !errors.As(err, &status) || status.Code != 413 {
		t.Errorf("%v", err)
	}
	if h := <-heads; h.Get("Expect") != "100-continue" || h.Get("Content-Length") != "1048576" {
		t.Errorf("%v", h)
	}
	_ = c.Put(t.Context(), "x", "", -1, newReader("x"))
	if h := <-heads; h.Get("Expect") != "" || h.Get("Transfer-Encoding") != "chunked" {
		t.Errorf("%v", h)
	}
}

// A success before the end of the body is none.
func TestEarlySuccess(t *testing.T) {
	url := rawServer(t, func(c net.Conn, r *textproto.Reader) {
		_, _ = r.ReadLine()
		_, _ = r.ReadMIMEHeader()
		_, _ = io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	pr, pw := io.Pipe()
	go func() { // a body without an end
		for _, err := io.WriteString(pw, "x"); err == nil; _, err = io.WriteString(pw, "x") {
			time.Sleep(time.Millisecond)
		}
	}()
	err := newTestClient(t, Destination{URL: url}).Put(t.Context(), "x", "", -1, pr)
	pr.Close()
	if !errors.Is(err, ErrEarlyAnswer) {
		t.Errorf("%v", err)
	}
}

// A piece of the source is one HTTP chunk, and its last chunk is missing when
// the source breaks.
func TestChunksOnTheWire(t *testing.T) {
	got := make(chan string, 1)
	url := rawServer(t, func(_ net.Conn, r *textproto.Reader) {
		_, _ = r.ReadLine()
		_, _ = r.ReadMIMEHeader()
		all, _ := io.ReadAll(r.R)
		got <- string(all)
	})
	err := newTestClient(t, Destination{URL: url}).Put(t.Context(), "x", "", -1,
		io.MultiReader(newReader("one"), newReader("four"), &failing{}))
	if err == nil {
		t.Error("no error")
	}
	if text := <-got; text != "3\r\none\r\n4\r\nfour\r\n" {
		t.Errorf("%q", text)
	}
}
