package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wire is an origin that looks at the bytes of HTTP/1.1 itself: it notes the
// size of each chunk of each request.
type wire struct {
	mu    sync.Mutex
	sizes map[string][]int64
}

func (s *wire) serve(c net.Conn) {
	defer c.Close()
	r := textproto.NewReader(bufio.NewReader(c))
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		header, err := r.ReadMIMEHeader()
		if err != nil {
			return
		}
		path := strings.Fields(line)[1]
		if header.Get("Transfer-Encoding") == "chunked" {
			err = s.chunks(r, path)
		} else if n, _ := strconv.ParseInt(header.Get("Content-Length"), 10, 64); n > 0 {
			_, err = io.CopyN(io.Discard, r.R, n)
		}
		answer := "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
		if strings.HasPrefix(line, "GET") {
			answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
		}
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (s *wire) chunks(r *textproto.Reader, path string) error {
	for {
		line, err := r.ReadLine()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(line, 16, 64)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r.R, size+2); err != nil || size == 0 {
			return err
		}
		s.mu.Lock()
		s.sizes[path] = append(s.sizes[path], size)
		s.mu.Unlock()
	}
}

// One CMAF chunk must be one HTTP chunk, however large.
func TestOneHTTPChunkPerChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s := &wire{sizes: map[string][]int64{}}
		go func() {
			for c, err := p.Accept(); err == nil; c, err = p.Accept() {
				go s.serve(c)
			}
		}()
		transport := &http.Transport{DialContext: p.dial}
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		// 1 s in a chunk: about 70 kB of video.
		o := Options{Base: "http://origin/demo", Client: &http.Client{Transport: transport}, ChunkDuration: time.Second}
		first := int64(time.Since(Anchor)/(2*time.Second)) - window
		if err := Run(ctx, o); err != nil {
			t.Fatal(err)
		}
		transport.CloseIdleConnections()
		close(p.closed)
		o.SegmentDuration = 2 * time.Second
		for _, u := range cutsFrom(t, o, first) {
			for n := first; n < first+window+2; n++ {
				got := s.sizes["/demo/"+u.segmentName(n)]
				for k := range u.perSegment {
					if chunk, _ := u.chunk(n, k); len(got) != 2 || got[k] != int64(len(chunk)) {
						t.Fatalf("%s: HTTP chunks of %d bytes; chunk %d has %d", u.segmentName(n), got, k, len(chunk))
					}
				}
			}
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A segment that is answered after its first bytes did not arrive, whatever
// the answer says.
func TestAnswerBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early := transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_, _ = io.ReadFull(r.Body, make([]byte, 100))
				_ = r.Body.Close()
			}
			return &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody}, nil
		})
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		var p Progress
		err := Run(ctx, Options{Base: "http://origin", Client: &http.Client{Transport: early}, Progress: func(now Progress) { p = now }})
		if err != nil || !errors.Is(p.LastError, errEarlyAnswer) || p.Errors != 2*(window+3) {
			t.Errorf("%v; %d errors, last: %v", err, p.Errors, p.LastError)
		}
	})
}

// HTTP/2 has no chunks; the bytes are the same.
func TestHTTP2(t *testing.T) {
	server := &origin{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s over %s", r.URL.Path, r.Proto)
		}
		server.ServeHTTP(w, r)
	}))
	s.EnableHTTP2 = true
	s.Config.HTTP2 = &http.HTTP2Config{MaxReadFrameSize: 16 << 10} // less than a chunk
	s.StartTLS()
	defer s.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	first := int64(time.Since(Anchor)/(2*time.Second)) - window
	o := Options{Base: s.URL + "/demo", Client: s.Client(), ChunkDuration: time.Second, SegmentDuration: 2 * time.Second}
	o.Progress = func(p Progress) {
		if p.Segment > first+window+1 || p.Errors > 0 {
			stop()
		}
	}
	if err := Run(ctx, o); err != nil {
		t.Fatal(err)
	}
	for _, u := range cutsFrom(t, o, first) {
		for n := first + 1; n <= first+window; n++ { // first may have gone before Run began
			if got := server.under("/demo/")["/demo/"+u.segmentName(n)]; got == nil || !bytes.Equal(got.data, segmentBytes(t, u, n)) {
				t.Errorf("%s is not what was sent", u.segmentName(n))
			}
		}
	}
}

// The default client, and an origin that is not there: the channel goes on
// trying, and ends when it is told to.
func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	_ = l.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var last Progress
	err = Run(ctx, Options{Base: base, Progress: func(p Progress) {
		if last = p; p.Errors >= 15 {
			stop()
		}
	}})
	if err != nil || last.Errors < 15 || last.LastError == nil {
		t.Errorf("%v; %d errors, last: %v", err, last.Errors, last.LastError)
	}
}
