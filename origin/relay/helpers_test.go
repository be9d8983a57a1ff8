package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

// bound is how long a test waits for what must come.
const bound = 20 * time.Second

// lines is a framer of lines: "K..." is clean, with the last "H..." before it as
// its header if there was one; "R..." is clean without one; all else is not
// clean. "...@40..." is due at 40 ms.
type lines struct {
	buf    []byte
	header []byte
}

func newLines(framing.Format) framing.Framer { return &lines{} }

func (l *lines) Push(p []byte) { l.buf = append(l.buf, p...) }

func (l *lines) Next() (framing.Frame, bool) {
	i := bytes.IndexByte(l.buf, '\n')
	if i < 0 {
		return framing.Frame{}, false
	}
	line := bytes.Clone(l.buf[:i+1])
	l.buf = l.buf[i+1:]
	f := framing.Frame{Data: line, Time: framing.NoTime}
	switch line[0] {
	case 'H':
		l.header = line
	case 'K':
		f.Clean, f.Header = true, l.header
	case 'R':
		f.Clean = true
	}
	if _, after, ok := strings.Cut(string(line), "@"); ok {
		ms, _ := strconv.Atoi(strings.TrimRight(strings.Fields(after)[0], "\n"))
		f.Time = time.Duration(ms) * time.Millisecond
	}
	return f, true
}

func (l *lines) Flush() (framing.Frame, bool) {
	f := framing.Frame{Data: l.buf, Time: framing.NoTime}
	l.buf = nil
	return f, len(f.Data) > 0
}

func detectADTS(string, string, []byte) framing.Format { return framing.ADTS }

// newTest returns a relay of lines.
func newTest(opt Options, in Input) *Relay {
	r := New(opt, in)
	r.framer, r.detect = newLines, detectADTS
	return r
}

// start runs r until the test ends, and returns what Run returns.
func start(t *testing.T, r *Relay) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stops.Store(r, cancel)
	result := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		result <- r.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() { cancel(); <-done; stops.Delete(r) })
	return result
}

// stops are the relays that run, and how to stop them.
var stops sync.Map

// stop stops a relay that start runs.
func stop(t *testing.T, r *Relay) {
	t.Helper()
	cancel, ok := stops.Load(r)
	if !ok {
		t.Fatal("it does not run")
	}
	cancel.(context.CancelFunc)()
}

func join(t *testing.T, r *Relay) *Listener {
	t.Helper()
	l, err := r.Join(t.Context())
	if err != nil {
		t.Fatalf("Join: %v", err)
	}
	t.Cleanup(l.Close)
	return l
}

// reading gathers what a listener gets.
type reading struct {
	t    *testing.T
	l    *Listener
	text strings.Builder
}

func read(t *testing.T, l *Listener) *reading { return &reading{t: t, l: l} }

// next takes once, and returns the error.
func (r *reading) next() error {
	ctx, cancel := context.WithTimeout(r.t.Context(), bound)
	defer cancel()
	slices, err := r.l.Next(ctx, nil)
	for _, s := range slices {
		r.text.Write(s)
	}
	return err
}

// until takes until all of want has come, and nothing else.
func (r *reading) until(want string) {
	r.t.Helper()
	for r.text.Len() < len(want) {
		if err := r.next(); err != nil {
			r.t.Fatalf("Next: %v after %q, want %q", err, r.text.String(), want)
		}
	}
	if got := r.text.String(); got != want {
		r.t.Fatalf("got %q, want %q", got, want)
	}
}

// end takes to the end, which must be like want.
func (r *reading) end(want error) string {
	r.t.Helper()
	for {
		if err := r.next(); err != nil {
			if !errors.Is(err, want) {
				r.t.Fatalf("Next: %v, want %v", err, want)
			}
			return r.text.String()
		}
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, bound)
		}
	}
}

// await waits until the channel is closed.
func await(t *testing.T, what string, closed <-chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(bound):
		t.Fatalf("%s: not within %v", what, bound)
	}
}

// script is an input of pipes: each opened one is handed to the test.
type script struct {
	traits Traits
	opened chan *io.PipeWriter

	mu    sync.Mutex // guards fails
	fails []error    // of the next Opens
}

func newScript(traits Traits) *script {
	traits.Name = "script"
	return &script{traits: traits, opened: make(chan *io.PipeWriter)}
}

func (s *script) Traits() Traits { return s.traits }

func (s *script) Open(ctx context.Context) (io.ReadCloser, error) {
	s.mu.Lock()
	if len(s.fails) > 0 {
		err := s.fails[0]
		s.fails = s.fails[1:]
		s.mu.Unlock()
		return nil, err
	}
	s.mu.Unlock()
	r, w := io.Pipe()
	select {
	case s.opened <- w:
		return r, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// conn returns the far end of the next opened stream.
func (s *script) conn(t *testing.T) *io.PipeWriter {
	t.Helper()
	select {
	case w := <-s.opened:
		return w
	case <-time.After(bound):
		t.Fatal("the input was not opened")
		return nil
	}
}

// send writes text, and returns once the relay has published its whole lines.
func send(t *testing.T, r *Relay, w io.Writer, text string) {
	t.Helper()
	want := r.row.now.Load().size + int64(len(text))
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatalf("writing the input: %v", err)
	}
	eventually(t, "publishing", func() bool { return r.row.now.Load().size >= want })
}

var endless = Traits{Again: Endlessly, Retry: true, Waits: true}
