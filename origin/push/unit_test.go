package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

func TestSegmentOf(t *testing.T) {
	for name, want := range map[string]string{
		"v/seg-12.m4s":                "v/seg-$Number$.m4s 12",
		"v/seg-12.m4s.3":              "v/seg-$Number$.m4s 12",
		"chunk-stream0-00042.m4s":     "chunk-stream0-$Number$.m4s 00042",
		"init.mp4":                    " ",
		"live.mpd":                    " ",
		"fileSequence12.4.m4s (part)": "fileSequence$Number$.m4s 12",
		"v1.12.m4s":                   "v1.$Number$.m4s 12",
		"1.m4s":                       "$Number$.m4s 1",
	} {
		name, part := strings.CutSuffix(name, " (part)")
		k := segstore.Segment
		if part {
			k = segstore.Part
		}
		track, number := segmentOf(name, k)
		if got := track + " " + number; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzSegmentOf(f *testing.F) {
	for _, s := range []string{"v/seg-12.m4s", "a12.4.m4s", "x.m4s.3", "$Number$1.ts"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, k := range []segstore.Kind{segstore.Segment, segstore.Part} {
			if track, number := segmentOf(name, k); track != "" && number == "" {
				t.Errorf("track %q without a number", track)
			}
		}
	})
}

// Of those that wait the best rank comes first, and who gives up leaves nothing
// behind.
func TestSlots(t *testing.T) {
	s := &slots{free: 1}
	if err := s.acquire(t.Context(), rank{}); err != nil {
		t.Fatal(err)
	}
	got := make(chan rank, 4)
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.waiting)
	}
	for i, r := range []rank{{2, 5}, {2, 1}, {0, 9}} {
		go func() {
			if err := s.acquire(t.Context(), r); err == nil {
				got <- r
				s.release()
			}
		}()
		eventually(t, "it waits", func() bool { return waiting() == i+1 })
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- s.acquire(ctx, rank{}) }()
	eventually(t, "it waits", func() bool { return waiting() == 4 })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.release()
	for _, want := range []rank{{0, 9}, {2, 1}, {2, 5}} {
		if r := <-got; r != want {
			t.Errorf("%v, want %v", r, want)
		}
	}
	eventually(t, "the slot is free", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.free == 1 })
}

func TestRanks(t *testing.T) {
	h := start(t, Options{}, Destination{URL: deadURL(t), KA: true})
	file := func(name string) *job { return fileJob(t.Context(), h.create(name).File()) }
	jobs := []*job{file("init.mp4"), file("x.mpd"), nil, file("seg-1.m4s"), nil, newJob(t.Context(), "gone.m4s"), nil}
	jobs[2] = file("seg-2.m4s") // live edge first
	jobs[2].created = jobs[3].created.Add(time.Second)
	jobs[4] = file("seg-3.m4s") // all are to be delivered
	jobs[6] = file("seg-4.m4s")
	jobs[6].archive = true
	for i := range 3 {
		if !jobs[i].rank(false).before(jobs[i+1].rank(false)) {
			t.Errorf("%s does not go before %s", jobs[i].name, jobs[i+1].name)
		}
	}
	if !jobs[3].rank(true).before(jobs[2].rank(true)) {
		t.Error("with BlockIO the newest goes first")
	}
	if !jobs[3].rank(false).before(jobs[5].rank(false)) || !jobs[5].rank(false).before(jobs[6].rank(false)) {
		t.Error("deletes go behind files, and before archives")
	}
	for _, j := range jobs {
		j.release()
	}
}

// With few requests at a time the newest segment goes first.
func TestLiveEdgeFirst(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(*http.Request) <-chan struct{} { return let }
	times := testTimes()
	times.staleAge = time.Hour
	to := f.to()
	to.MaxStreams = 1
	h := start(t, Options{times: times}, to)
	for i := range 4 {
		h.put(fmt.Sprintf("seg-%d.m4s", i), "x")
		eventually(t, "it waits", func() bool {
			s := h.dests[0].slots
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.waiting) == i
		})
		if i == 0 {
			eventually(t, "the first is under way", f.has("/live/seg-0.m4s", "x"))
		}
	}
	close(let)
	h.drain()
	var order []string
	for _, q := range f.requests("") {
		order = append(order, strings.TrimPrefix(q.path, "/live/seg-"))
	}
	if got := strings.Join(order, " "); got != "0.m4s 3.m4s 2.m4s 1.m4s" {
		t.Error(got)
	}
}

func TestReady(t *testing.T) {
	f := newFar(t)
	let := make(chan struct{})
	f.hold = func(*http.Request) <-chan struct{} { return let }
	to := f.to()
	to.BlockIO = true
	h := start(t, Options{MaxHeld: 400}, to)
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.put("a.txt", strings.Repeat("x", 200))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := h.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ready with 200 bytes unsent: %v", err)
	}
	ready := make(chan error, 1)
	go func() { ready <- h.Ready(t.Context()) }()
	close(let)
	if err := <-ready; err != nil {
		t.Error(err)
	}
}

// Without BlockIO only an archive is waited for, and that not for a server that
// is down.
func TestReadyWithoutBlockIO(t *testing.T) {
	h := start(t, Options{MaxHeld: 400}, Destination{URL: deadURL(t), KA: true})
	h.put("a.txt", strings.Repeat("x", 200))
	if err := h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	w := h.create("b.txt")
	h.write(w, strings.Repeat("x", 150))
	h.Deleted("b.txt")
	h.CreatedArchive(w.File())
	d := h.dests[0]
	ready := func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.hasRoom() }
	if ready() {
		t.Error("an archive is not counted")
	}
	d.mu.Lock()
	d.downSince = time.Now().Add(-2 * downAfter)
	d.mu.Unlock()
	eventually(t, "a server that is down is not waited for", ready)
	w.Abort(errGone)
}

func TestDrainIsBounded(t *testing.T) {
	h := start(t, Options{}, Destination{URL: deadURL(t) + "?secret", KA: true})
	h.put("live.mpd", "x")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := h.Drain(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// A refusal is logged with what to do, and not for each file.
func TestLog(t *testing.T) {
	f := newFar(t)
	f.answer = func(int, *http.Request) int { return 401 }
	to := f.to()
	to.URL = strings.Replace(to.URL, "http://", "http://me:secret@", 1)
	var text bytes.Buffer
	p, err := New([]Destination{to}, Options{Log: slog.New(slog.NewTextHandler(&text, nil)), times: testTimes()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 5 {
		p.Deleted(fmt.Sprint(i))
	}
	ran := make(chan error)
	go func() { ran <- p.Run(ctx) }()
	if err := p.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	log := text.String()
	if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "check user and password") || strings.Contains(log, "secret") {
		t.Errorf("log:\n%s", log)
	}
}

func TestKnownIsBounded(t *testing.T) {
	var k known
	store, err := segstore.Open(segstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for i := range maxKnown + 3 {
		w, err := store.Create(fmt.Sprintf("%d.mpd", i), segstore.Head{Length: -1})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second takes the place of the first
			for _, r := range k.set(w.File(), time.Time{}) {
				r.Close()
				dropped++
			}
		}
		_ = w.Close()
	}
	if len(k.files) != maxKnown || len(k.order) != maxKnown || dropped != maxKnown+3+3 {
		t.Errorf("%d files, %d in order, %d dropped", len(k.files), len(k.order), dropped)
	}
	for _, r := range k.clear() {
		r.Close()
	}
	if err := store.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
