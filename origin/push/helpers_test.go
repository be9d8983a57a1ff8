package push

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// request is what the far end saw of one request.
type request struct {
	method, path, query string
	header              http.Header
	length              int64
	body                string
	err                 error // nil if the body came to its end
	over                bool
}

// far is a server that files go to. answer, if set, says what a request gets
// before its body is read; 0 is to read it and to answer 201.
type far struct {
	*httptest.Server
	mu      sync.Mutex
	seen    []*request                            // guarded by mu
	answer  func(n int, r *http.Request) int      // guarded by mu; n counts the requests from 1
	refuses bool                                  // guarded by mu: 403 at once
	before  func(w http.ResponseWriter, code int) // sets headers of an answer
	hold    func(r *http.Request) <-chan struct{} // before the answer
}

func newFar(t *testing.T) *far {
	t.Helper()
	f := &far{}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone(), length: r.ContentLength}
	q.header.Set("Host", r.Host)
	f.mu.Lock()
	f.seen = append(f.seen, q)
	code := 0
	if f.answer != nil {
		code = f.answer(len(f.seen), r)
	}
	hold := f.hold
	if f.refuses {
		code = http.StatusForbidden
		w.Header().Set("Connection", "close")
	}
	f.mu.Unlock()
	if code < 0 {
		panic(http.ErrAbortHandler)
	}
	if code == 0 {
		f.read(q, r.Body)
		code = 201
	}
	if hold != nil {
		if c := hold(r); c != nil {
			select {
			case <-c:
			case <-r.Context().Done(): // or a test that fails would not end
			}
		}
	}
	if f.before != nil {
		f.before(w, code)
	}
	w.WriteHeader(code)
}

func (f *far) read(q *request, body io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := body.Read(buf)
		f.mu.Lock()
		q.body += string(buf[:n])
		if err != nil {
			q.over = true
			if err != io.EOF {
				q.err = err
			}
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
	}
}

// requests returns copies of those for the path; "" is all.
func (f *far) requests(path string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []request
	for _, q := range f.seen {
		if path == "" || q.path == path {
			list = append(list, *q)
		}
	}
	return list
}

// has says that a request for the path has this much of its body.
func (f *far) has(path, body string) func() bool {
	return func() bool {
		for _, q := range f.requests(path) {
			if q.body == body {
				return true
			}
		}
		return false
	}
}

// crash ends the server as a crash does: whatever comes while it ends is
// closed, too.
func (f *far) crash() {
	closed := make(chan struct{})
	go func() { f.Close(); close(closed) }() // no connection comes from here on
	for {
		f.CloseClientConnections() // one may have come just before
		select {
		case <-closed:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// restart crashes the server and starts another at its address, which knows
// nothing.
func (f *far) restart(t *testing.T) *far {
	t.Helper()
	f.crash()
	l, err := net.Listen("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	again := &far{}
	again.Server = httptest.NewUnstartedServer(again)
	again.Server.Listener.Close()
	again.Server.Listener = l
	again.Start()
	t.Cleanup(again.Close)
	return again
}

func (f *far) to() Destination { return Destination{URL: f.URL + "/live", KA: true} }

// testTimes are short where a test would wait for them.
func testTimes() times {
	t := defaultTimes()
	t.backoff, t.backoffMost = 5*time.Millisecond, 20*time.Millisecond
	t.staleAge, t.resendGap = 0, 0
	return t
}

// harness is a store whose uploads go to destinations.
type harness struct {
	*Pusher
	t     *testing.T
	store *segstore.Store
	ran   chan error
	stop  context.CancelFunc
}

func start(t *testing.T, opt Options, dests ...Destination) *harness {
	t.Helper()
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.times == (times{}) {
		opt.times = testTimes()
	}
	p, err := New(dests, opt)
	if err != nil {
		t.Fatal(err)
	}
	store, err := segstore.Open(segstore.Options{MaxCacheSegs: 5, Log: opt.Log, Observers: []segstore.Observer{p}})
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{Pusher: p, t: t, store: store, ran: make(chan error, 1)}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	go func() { h.ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		err := <-h.ran
		for _, d := range p.dests {
			if left := len(d.lanes); left != 0 || d.count != 0 {
				t.Errorf("%d lanes left, %d jobs counted", left, d.count)
			}
		}
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		_ = store.Close(context.Background()) // nothing is on disk
	})
	return h
}

func startLogged(t *testing.T, log *slog.Logger, dests ...Destination) *harness {
	t.Helper()
	return start(t, Options{Log: log}, dests...)
}

func (h *harness) create(name string) *segstore.Writer {
	h.t.Helper()
	w, err := h.store.Create(name, segstore.Head{Length: -1})
	if err != nil {
		h.t.Fatal(err)
	}
	return w
}

func (h *harness) put(name, body string) {
	h.t.Helper()
	w := h.create(name)
	h.write(w, body)
	h.close(w)
}

func (h *harness) write(w *segstore.Writer, body string) {
	h.t.Helper()
	if _, err := w.Write([]byte(body)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) close(w *segstore.Writer) {
	h.t.Helper()
	if err := w.Close(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) drain() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	if err := h.Drain(ctx); err != nil {
		h.t.Fatal(err)
	}
}

// want waits until the figures of the first destination are as given, but for
// URL and Bytes.
func (h *harness) want(s Stats) {
	h.t.Helper()
	var got Stats
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		got = h.Stats()[0]
		got.URL, got.Bytes = "", 0
		if got == s {
			return
		}
	}
	h.t.Fatalf("\n got %+v\nwant %+v", got, s)
}
