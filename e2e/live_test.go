package e2e

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// audience is a set of viewers that follow one encoder, and what they got.
type audience struct {
	ctx context.Context // ends with the test
	wg  sync.WaitGroup
	mu  sync.Mutex
	got []*download // guarded by mu
}

// newAudience returns an empty one whose viewers leave when the test ends.
func newAudience(t *testing.T) *audience {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	a := &audience{ctx: ctx}
	t.Cleanup(func() {
		cancel()
		a.wg.Wait()
	})
	return a
}

// join starts a viewer that reads names one after another. Its failure is the
// test's, unless the test has ended already.
func (a *audience) join(t *testing.T, who, addr string, names []string) {
	a.wg.Go(func() {
		got, err := follow(a.ctx, addr, names)
		if err != nil && !errors.Is(a.ctx.Err(), context.Canceled) {
			t.Errorf("%s: %v", who, err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.got = append(a.got, got...)
	})
}

// wait returns everything the viewers got, once all have read their last name.
func (a *audience) wait() []*download {
	a.wg.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got
}

// mustBeWhatWasSent compares each download with the one upload of its name.
func mustBeWhatWasSent(t *testing.T, p *tee, got []*download) {
	t.Helper()
	for _, d := range got {
		p.waitSent(t, d.path, 1)
		sent := p.sent(d.path)
		if len(sent) != 1 {
			t.Errorf("%s was sent completely %d times, want once", d.path, len(sent))
			continue
		}
		if d.status != 200 || d.err != nil || d.sum() != sent[0].sum() {
			t.Errorf("%s: got %d bytes (status %d, end: %v) that are not the %d bytes sent",
				d.path, len(d.body), d.status, errOrClean(d.err), len(sent[0].body))
		}
	}
}

// mustServeLast wants the version of a name that was sent last.
func mustServeLast(t *testing.T, s *server, p *tee, path string) {
	t.Helper()
	us := p.sent(path)
	if d := fetch(t, s, path); len(us) == 0 || d.sum() != us[len(us)-1].sum() {
		t.Errorf("%s: status %d and %d bytes, which are not the last of the %d versions sent", path, d.status, len(d.body), len(us))
	}
}

// early says how much of a segment had come before its upload's end, as shares
// of the time the upload lasted and of the segment's size.
type early struct {
	first float64 // when the first byte came, from the upload's start or the viewer's question, whichever is later
	bytes float64 // share of the bytes that had come when a tenth of the time was left
}

// mustComeEarly proves that segments go out while they come in: nearly always
// (a loaded machine may miss it now and then) the first byte of a segment comes
// within a fifth of the upload's duration, and four fifths of its bytes before
// the last tenth of it. It needs at least `least` segments asked for in time.
func mustComeEarly(t *testing.T, p *tee, got []*download, least int) {
	t.Helper()
	live, kept := 0, 0
	for _, d := range got {
		e, ok := howEarly(p, d)
		if !ok {
			continue
		}
		live++
		if e.first <= 0.2 && e.bytes >= 0.8 && d.chunked {
			kept++
		} else {
			t.Logf("%s: first byte after %.0f%% of its upload, %.0f%% of its bytes before the last tenth, chunked: %v", d.path, 100*e.first, 100*e.bytes, d.chunked)
		}
	}
	if live < least || kept*10 < live*9 {
		t.Errorf("of %d segments asked for while they grew (want at least %d), %d came early, want nine of ten", live, least, kept)
	}
}

// howEarly measures one download; false when the viewer asked too late in the
// upload for the figures to mean something, or when the segment is a short rest.
func howEarly(p *tee, d *download) (early, bool) {
	sent := p.sent(d.path)
	if len(sent) != 1 || len(d.pieces) == 0 {
		return early{}, false
	}
	u := sent[0]
	full := time.Duration(segDur) * time.Second
	if u.lasted() < full*3/4 || d.asked.After(u.start.Add(u.lasted()/2)) {
		return early{}, false
	}
	from := u.start
	if d.asked.After(from) {
		from = d.asked
	}
	lasted := float64(u.lasted())
	return early{
		first: float64(d.pieces[0].at.Sub(from)) / lasted,
		bytes: float64(d.before(u.end.Add(-u.lasted()/10))) / float64(len(u.body)),
	}, true
}
