package folder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headwater-origin/headwater/segstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// longTime is a bound that only a failing test comes to.
const longTime = 15 * time.Second

// rig is a directory that is followed into a store in memory.
type rig struct {
	*testing.T
	dir   string
	store *segstore.Store
	log   *logBuffer
	f     *Folder
	stop  func() // ends Run, and waits for it; legal more than once
}

// briefly is for tests that wait for Quiet.
func briefly(s *setup) { s.opt.Quiet = 300 * time.Millisecond }

// setup may be changed by a test before the directory is followed.
type setup struct {
	opt   Options
	store segstore.Options
	sink  target        // in place of the store, if set
	tune  func(*Folder) // sets what tests replace
	files func(dir string)
}

// newRig follows a new directory, and returns once it was listed.
func newRig(t *testing.T, change ...func(*setup)) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir(), log: new(logBuffer)}
	s := setup{
		opt:   Options{Dir: r.dir, Existing: true, Quiet: time.Minute, Log: slog.New(slog.NewTextHandler(r.log, nil))},
		store: segstore.Options{MaxCacheSegs: 1000, Log: slog.New(slog.DiscardHandler)},
	}
	for _, c := range change {
		c(&s)
	}
	var err error
	if r.store, err = segstore.Open(s.store); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close(context.Background()) }) // in memory it keeps nothing
	if s.sink == nil {
		r.f, err = New(s.opt, r.store)
	} else {
		r.f, err = newFolder(s.opt, s.sink)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.f.beat = 30 * time.Millisecond
	if s.tune != nil {
		s.tune(r.f)
	}
	if s.files != nil {
		s.files(r.dir)
	}
	r.run()
	return r
}

// run follows the directory until the test ends.
func (r *rig) run() {
	listed := make(chan struct{})
	watch, first := r.f.watch, true
	r.f.watch = func() (watcher, error) {
		w, err := watch()
		if first {
			first = false
			close(listed)
		}
		return w, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.f.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				r.Errorf("Run: %v", err)
			}
		case <-time.After(longTime):
			r.Error("Run does not return")
		}
	})
	r.Cleanup(r.stop)
	<-listed // from here on the loop is busy until it has listed all
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// open opens a file of the directory as a packager does.
func (r *rig) open(name string) *os.File {
	r.Helper()
	f, err := os.Create(r.path(name))
	r.must(err)
	r.Cleanup(func() { _ = f.Close() }) // most tests have done it
	return f
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) write(name string, body []byte) {
	r.Helper()
	r.must(os.WriteFile(r.path(name), body, 0o644))
}

// writeTemp writes the file as NAME.tmp and renames it.
func (r *rig) writeTemp(name string, body []byte) {
	r.Helper()
	r.write(name+tempSuffix, body)
	r.rename(name+tempSuffix, name)
}

func (r *rig) rename(from, to string) {
	r.Helper()
	r.must(os.Rename(r.path(from), r.path(to)))
}

func (r *rig) mkdir(name string) {
	r.Helper()
	r.must(os.MkdirAll(r.path(name), 0o755))
}

func (r *rig) remove(name string) {
	r.Helper()
	r.must(os.RemoveAll(r.path(name)))
}

func put(t testing.TB, f *os.File, p []byte) {
	t.Helper()
	if _, err := f.Write(p); err != nil {
		t.Fatal(err)
	}
}

func shut(t testing.TB, f *os.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition, with a bound.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(longTime); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// state returns the state of the name in the store, and the bytes there are.
func (r *rig) state(name string) (segstore.State, []byte) {
	f, err := r.store.Lookup(name)
	if err != nil {
		return segstore.Failed, nil
	}
	v := f.View()
	return v.State(), bytes.Join(v.AppendSlices(nil, 0, v.Size()), nil)
}

func (r *rig) wantState(name string, want segstore.State, body []byte) {
	r.Helper()
	var got []byte
	var s segstore.State
	defer func() {
		if r.Failed() {
			r.Logf("%s is %s with %d bytes, want %s with %d; log:\n%s", name, s, len(got), want, len(body), r.log)
		}
	}()
	until(r, fmt.Sprintf("%s %s", name, want), func() bool {
		s, got = r.state(name)
		return s == want && bytes.Equal(got, body)
	})
}

func (r *rig) wantWhole(name string, body []byte) {
	r.Helper()
	r.wantState(name, segstore.Complete, body)
}

func (r *rig) wantGrowing(name string, body []byte) {
	r.Helper()
	r.wantState(name, segstore.Growing, body)
}

func (r *rig) isGone(name string) bool {
	_, err := r.store.Lookup(name)
	return isMissing(err)
}

func (r *rig) wantGone(name string) {
	r.Helper()
	until(r, name+" gone", func() bool { return r.isGone(name) })
}

// settled waits until all that happened before has been dealt with: a file that
// is made now has come.
func (r *rig) settled() {
	r.Helper()
	name := fmt.Sprintf("settled-%d.txt", time.Now().UnixNano())
	r.writeTemp(name, []byte(name))
	r.wantWhole(name, []byte(name))
}

func (r *rig) wantLog(n int, text string) {
	r.Helper()
	until(r, fmt.Sprintf("%d log lines with %q in\n%s", n, text, r.log), func() bool { return r.log.count(text) == n })
}

// reader reads a file of the store to its end in the background.
type reader struct {
	got  []byte
	err  error // nil at the end of a whole file
	done chan struct{}
}

func (r *rig) read(name string) *reader {
	r.Helper()
	f, err := r.store.Lookup(name)
	r.must(err)
	in, out := f.NewReader(0), &reader{done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), longTime)
	r.Cleanup(cancel)
	go func() {
		defer close(out.done)
		defer in.Close()
		for out.err == nil {
			var parts [][]byte
			parts, out.err = in.Next(ctx, nil, 1<<20)
			out.got = append(out.got, bytes.Join(parts, nil)...)
		}
		if errors.Is(out.err, io.EOF) {
			out.err = nil
		}
	}()
	return out
}

// wantEnd waits for the end of the file for its reader.
func (in *reader) wantEnd(t testing.TB, want error) {
	t.Helper()
	<-in.done
	if !errors.Is(in.err, want) {
		t.Errorf("a reader ended with %v, want %v", in.err, want)
	}
}

// logBuffer is what was logged.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) count(text string) int { return strings.Count(b.String(), text) }

// box is an MP4 box.
func box(kind string, payload int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+payload))
	b = append(b, kind...)
	return append(b, bytes.Repeat([]byte{byte(payload)}, payload)...)
}

// fragment is a moof and an mdat with so many bytes.
func fragment(payload int) []byte { return append(box("moof", 100), box("mdat", payload)...) }

// segment is a styp and so many fragments.
func segment(fragments int) []byte {
	b := box("styp", 16)
	for i := range fragments {
		b = append(b, fragment(1000+i)...)
	}
	return b
}

// recorder is a target that takes note of what is called.
type recorder struct {
	refuse func(name string) error // of a Create, if set
	gate   chan struct{}           // if set, each Write waits for one

	mu    sync.Mutex // guards the rest
	calls []string
	whole map[string][]string // the versions of each name
	open  int                 // uploads under way
	most  int                 // at a time
}

type recording struct {
	r    *recorder
	name string
	body []byte
}

func (r *recorder) note(up int, what, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, what+" "+name)
	r.open += up
	r.most = max(r.most, r.open)
}

func (r *recorder) create(name string, _ segstore.Arrival) (upload, error) {
	if r.refuse != nil {
		if err := r.refuse(name); err != nil {
			r.note(0, "refused", name)
			return nil, err
		}
	}
	r.note(1, "create", name)
	return &recording{r: r, name: name}, nil
}

func (r *recorder) delete(name string) error {
	r.note(0, "delete", name)
	return nil
}

func (u *recording) Write(p []byte) (int, error) {
	if u.r.gate != nil {
		<-u.r.gate
	}
	u.body = append(u.body, p...)
	return len(p), nil
}

func (u *recording) Close() error {
	u.r.note(-1, "close", u.name)
	u.r.mu.Lock()
	defer u.r.mu.Unlock()
	if u.r.whole == nil {
		u.r.whole = make(map[string][]string)
	}
	u.r.whole[u.name] = append(u.r.whole[u.name], string(u.body))
	return nil
}

// versions returns the contents of the name that became whole, in their order.
func (r *recorder) versions(name string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.whole[name])
}

func (u *recording) Abort(error) { u.r.note(-1, "abort", u.name) }

func (r *recorder) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

func (r *recorder) count(call string) (n int) {
	for _, c := range r.said() {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}
