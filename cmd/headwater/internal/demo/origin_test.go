package demo

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upload is a PUT body as it came: what is there, when its reads came, and
// how it ended.
type upload struct {
	began   time.Time
	data    []byte
	reads   []mark
	ended   bool
	err     error
	changed chan struct{}
}

// origin keeps uploads by path and lets them be read while they grow.
type origin struct {
	refuse func(path string) bool // answered with 503; optional
	hide   func(path string) bool // GET finds nothing; optional
	delay  time.Duration          // of what a viewer gets

	mu    sync.Mutex
	files map[string]*upload
	puts  []string
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPut && o.refuse != nil && o.refuse(r.URL.Path):
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Method == http.MethodPut:
		o.put(w, r)
	default:
		o.get(w, r)
	}
}

func (o *origin) put(w http.ResponseWriter, r *http.Request) {
	u := &upload{began: time.Now(), changed: make(chan struct{})}
	o.mu.Lock()
	if o.files == nil {
		o.files = map[string]*upload{}
	}
	o.files[r.URL.Path] = u
	o.puts = append(o.puts, r.URL.Path)
	o.mu.Unlock()
	buf := make([]byte, 256<<10)
	for !u.ended {
		n, err := r.Body.Read(buf)
		o.mu.Lock()
		u.data = append(u.data, buf[:n]...)
		u.reads = append(u.reads, mark{int64(len(u.data)), time.Now()})
		if u.ended = err != nil; !errors.Is(err, io.EOF) {
			u.err = err
		}
		close(u.changed)
		u.changed = make(chan struct{})
		o.mu.Unlock()
	}
	w.WriteHeader(http.StatusCreated)
}

func (o *origin) get(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	u := o.files[r.URL.Path]
	o.mu.Unlock()
	if u == nil || (o.hide != nil && o.hide(r.URL.Path)) {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusOK)
	for sent := 0; ; {
		o.mu.Lock()
		data, ended, err, changed := u.data[sent:], u.ended, u.err, u.changed
		o.mu.Unlock()
		time.Sleep(o.delay)
		_, _ = w.Write(data)
		_ = http.NewResponseController(w).Flush()
		if sent += len(data); ended && err != nil {
			panic(http.ErrAbortHandler)
		} else if ended {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// under returns what was put under names that begin with prefix.
func (o *origin) under(prefix string) map[string]*upload {
	o.mu.Lock()
	defer o.mu.Unlock()
	files := maps.Clone(o.files)
	maps.DeleteFunc(files, func(path string, _ *upload) bool { return !strings.HasPrefix(path, prefix) })
	return files
}

// pipes is a listener whose connections are pipes in memory, so that server
// and client can live in a synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	}
}

// serveInMemory serves h until the returned function is called, which also
// ends the client's connections.
func serveInMemory(h http.Handler) (*http.Client, func()) {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(p)
	}()
	transport := &http.Transport{DialContext: p.dial, MaxIdleConnsPerHost: 8}
	return &http.Client{Transport: transport}, func() {
		close(p.closed)
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}
}
