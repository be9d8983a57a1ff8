package push

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Of four servers one is dead, one takes nothing, and one refuses: the fourth
// gets all there is, and each is counted by itself.
func TestDestinationsDoNotWaitForEachOther(t *testing.T) {
	slow, refusing, living := newFar(t), newFar(t), newFar(t)
	let := make(chan struct{})
	slow.hold = func(*http.Request) <-chan struct{} { return let }
	refusing.refuses = true
	dests := []Destination{{URL: deadURL(t), KA: true}, slow.to(), refusing.to(), living.to()}
	for i := range dests {
		dests[i].BlockIO, dests[i].MaxStreams = true, 2 // none is skipped
	}
	h := start(t, Options{}, dests...)
	const files = 20
	w := h.create("growing.m4s")
	h.write(w, "one ")
	for i := range files {
		h.put(fmt.Sprintf("seg-%d.m4s", i), "x")
	}
	h.write(w, "two")
	eventually(t, "the living one has what grows", living.has("/live/growing.m4s", "one two"))
	h.close(w)
	eventually(t, "the living one has all", func() bool { return h.Stats()[3].Sent == files+1 })
	eventually(t, "the refusing one has refused all", func() bool { return h.Stats()[2].Failed == files+1 })
	if s := h.Stats()[0]; s.Sent+s.Failed+s.Skipped != 0 || s.Waiting+s.InFlight != files+1 {
		t.Errorf("dead: %+v", s)
	}
	if s := h.Stats()[1]; s.Sent+s.Failed+s.Skipped != 0 || s.InFlight > 2 || s.Waiting+s.InFlight != files+1 {
		t.Errorf("slow: %+v", s)
	}
	close(let)
	eventually(t, "the slow one has all", func() bool { return h.Stats()[1].Sent == files+1 })
}

// More files at once than connections: all arrive, never more than MaxStreams
// of them at a time.
func TestManyFilesAtOnce(t *testing.T) {
	protocols(t, func(t *testing.T, newFar func() (*far, Destination)) {
		f, to := newFar()
		const files, streams = 200, 8
		var mu sync.Mutex
		now, most, conns := 0, 0, map[string]bool{}
		full := make(chan struct{})
		f.hold = func(r *http.Request) <-chan struct{} {
			mu.Lock()
			defer mu.Unlock()
			now++
			most = max(most, now)
			conns[r.RemoteAddr] = true
			if now == streams && len(conns) > 0 {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			return full // so that they are at work at once
		}
		f.before = func(http.ResponseWriter, int) {
			mu.Lock()
			now--
			mu.Unlock()
		}
		to.MaxStreams = streams
		to.BlockIO = true
		h := start(t, Options{}, to)
		for i := range files {
			h.put(fmt.Sprintf("d%d/seg-%d.m4s", i%7, i), fmt.Sprint(i))
		}
		h.drain()
		h.want(Stats{Sent: files})
		if most != streams || len(conns) > streams {
			t.Errorf("%d at once over %d connections", most, len(conns))
		}
		for i := range files {
			if !f.has(fmt.Sprintf("/live/d%d/seg-%d.m4s", i%7, i), fmt.Sprint(i))() {
				t.Errorf("%d is missing", i)
			}
		}
	})
}

// What waits for a server that takes bytes but never answers stays within
// MaxHeld, however long that lasts.
func TestHeldBytesOfASlowServerAreBounded(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(*http.Request) <-chan struct{} { return let }
	to := f.to()
	to.MaxBehind, to.MaxStreams = 1000, 4
	const limit, size = 100_000, 10_000
	h := start(t, Options{MaxHeld: limit}, to)
	for i := range 50 {
		w := h.create(fmt.Sprintf("seg-%d.m4s", i))
		for range 2 {
			h.write(w, strings.Repeat("x", size/2))
		}
		h.close(w)
		if s := h.Stats()[0]; s.Held > limit+size {
			// One may be over: it is told of before its bytes come.
			eventually(t, "it is relieved", func() bool { return h.Stats()[0].Held <= limit+size })
		}
	}
	eventually(t, "the rest is skipped", func() bool { s := h.Stats()[0]; return s.Skipped >= 50-limit/size-1 })
	close(let)
	h.drain()
}

// Deletes are not dropped for bytes or for age; but a server that is down must
// not make any number of them wait.
func TestDeletesThatWaitAreBounded(t *testing.T) {
	d := newIdleDest(t)
	for i := range maxKept + 50 {
		d.add(newJob(t.Context(), fmt.Sprint(i)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var dropped []string
	for j := range d.jobs {
		if j.dropped {
			dropped = append(dropped, j.name)
			if !errors.Is(j.ctx.Err(), j.ctx.Err()) || j.ctx.Err() == nil {
				t.Errorf("%s is not ended", j.name)
			}
		}
	}
	slices.Sort(dropped)
	if len(dropped) != 50 || !slices.Contains(dropped, "0") || !slices.Contains(dropped, "49") {
		t.Errorf("%d dropped", len(dropped))
	}
}

// newIdleDest is a destination that does not run.
func newIdleDest(t *testing.T) *dest {
	t.Helper()
	opt := Options{times: testTimes()}
	opt.setDefaults()
	c := newTestClient(t, Destination{URL: "http://127.0.0.1:9"})
	return newDest(t.Context(), c, &opt, func(error) {})
}

// A file that comes after a DELETE of its name is no reserve of the one before.
func TestUploadAfterADeleteIsSent(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(r *http.Request) <-chan struct{} {
		if r.Method == http.MethodPut && r.ContentLength != 3 {
			return let
		}
		return nil
	}
	h := start(t, Options{KeepFirst: true}, f.to())
	h.put("a.m4s", "old!")
	eventually(t, "the first arrives", f.has("/live/a.m4s", "old!"))
	if err := h.store.Delete("a.m4s"); err != nil {
		t.Fatal(err)
	}
	h.put("a.m4s", "new")
	close(let)
	h.drain()
	var order []string
	for _, q := range f.requests("") {
		order = append(order, q.method+" "+q.body)
	}
	if got := strings.Join(order, ", "); got != "PUT old!, DELETE , PUT new" {
		t.Error(got)
	}
	h.want(Stats{Sent: 2, Deleted: 1})
}

// PUT and DELETE of a name come as they came here, whatever fails between.
func TestDeletesComeInOrder(t *testing.T) {
	f := newFar(t)
	f.answer = func(n int, _ *http.Request) int { return 503 * (n % 2) }
	h := start(t, Options{}, f.to())
	for i := range 5 {
		h.put("a.txt", fmt.Sprint(i))
		h.drain()
		if err := h.store.Delete("a.txt"); err != nil {
			t.Fatal(err)
		}
		h.drain()
	}
	var order []string
	for _, q := range f.requests("") {
		if len(order) == 0 || order[len(order)-1] != q.method {
			order = append(order, q.method)
		}
	}
	if len(order) != 10 || order[0] != "PUT" || order[9] != "DELETE" {
		t.Error(order)
	}
}

// A name arrives as it is, whatever is in it; and none leads out.
func TestNamesOnTheWire(t *testing.T) {
	var mu sync.Mutex
	var uri string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		uri = r.RequestURI
		mu.Unlock()
		w.WriteHeader(201)
	}))
	t.Cleanup(s.Close)
	for _, c := range []struct{ base, name, want string }{
		{"/in", "v/seg-1.m4s", "/in/v/seg-1.m4s"},
		{"/in/", "a b", "/in/a%20b"},
		{"/in", "100%", "/in/100%25"},
		{"/in", "%2e%2e/x", "/in/%252e%252e/x"},
		{"/in", "ä/日", "/in/%C3%A4/%E6%97%A5"},
		{"/in", "q?a=b#c", "/in/q%3Fa=b%23c"},
		{"/in", "a;b,c+d&e:f@g", "/in/a;b,c+d&e:f@g"},
		{"/in", `"<>^|`, "/in/%22%3C%3E%5E%7C"},
		{"/in", "..x/...", "/in/..x/..."},
		{"", "x", "/x"},
		{"/", "x", "/x"},
		{"/a%2Fb/c%20d", "x y", "/a%2Fb/c%20d/x%20y"},
		{"/in?key=1", "x", "/in/x?key=1"},
	} {
		client := newTestClient(t, Destination{URL: s.URL + c.base})
		if err := client.Put(t.Context(), c.name, "", 1, newReader("x")); err != nil || uri != c.want {
			t.Errorf("%s and %q: %v, %s, want %s", c.base, c.name, err, uri, c.want)
		}
	}
	uri = ""
	client := newTestClient(t, Destination{URL: s.URL + "/in"})
	for _, name := range []string{"..", "../x", "a/../x", "./x", "", "/x", "a//x", "x/"} {
		err := client.Put(t.Context(), name, "", 1, newReader("x"))
		if err == nil || retryable(err) || lostContact(err) || uri != "" {
			t.Errorf("%q: %v %s", name, err, uri)
		}
		if err := client.Delete(t.Context(), name); err == nil {
			t.Errorf("%q is deleted", name)
		}
	}
	h := start(t, Options{}, Destination{URL: s.URL, KA: true})
	h.Deleted("../x")
	h.drain()
	h.want(Stats{Failed: 1})
}

// Once a push is stopped nothing goes on, whatever was under way.
func TestStopWithEverythingUnderWay(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	defer close(let)
	f.hold = func(*http.Request) <-chan struct{} { return let }
	h := start(t, Options{}, f.to(), Destination{URL: deadURL(t), KA: true})
	for i := range 100 {
		h.put(fmt.Sprintf("seg-%d.m4s", i), "x")
		h.Deleted(fmt.Sprintf("old-%d.m4s", i))
	}
	w := h.create("growing.m4s")
	_, done := h.feedInto("radio.mp3")
	eventually(t, "some are under way", func() bool { return h.Stats()[0].InFlight > 10 })
	h.stop()
	select {
	case err := <-h.ran:
		h.ran <- err
	case <-time.After(patience):
		t.Fatal("Run does not end")
	}
	if s := h.Stats(); s[0].InFlight+s[0].Waiting+s[1].InFlight+s[1].Waiting != 0 {
		t.Errorf("%+v", s)
	}
	w.Abort(errGone)
	_ = done
}
