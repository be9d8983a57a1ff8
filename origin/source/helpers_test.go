package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bound is how long a test waits for what must come.
const bound = 30 * time.Second

// short is a Timeout that a test waits for.
const short = 100 * time.Millisecond

var errBody = errors.New("connection reset")

// sharedLog is a log that can be read while it is written.
type sharedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// open returns an Output that is closed at the test's end, and its log.
func open(t *testing.T, opt Options) (*Output, *sharedLog) {
	t.Helper()
	log := &sharedLog{}
	opt.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if opt.Timeout == 0 {
		opt.Timeout = bound
	}
	o, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, o) })
	return o, log
}

func shut(t *testing.T, o *Output) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := o.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	if n := o.Stats().Active; n != 0 {
		t.Errorf("%d uploads are active after Close", n)
	}
}

func upload(name string) Upload { return Upload{Name: name, Length: -1, Peer: "127.0.0.1"} }

// body is an upload that the test writes to. Its Read can be interrupted.
type body struct {
	*io.PipeReader
	*io.PipeWriter
}

func newBody() *body {
	r, w := io.Pipe()
	return &body{PipeReader: r, PipeWriter: w}
}

func (b *body) SetReadDeadline(at time.Time) error {
	if time.Now().After(at) {
		return b.PipeWriter.CloseWithError(os.ErrDeadlineExceeded)
	}
	return nil
}

// taking is a Take under way.
type taking struct {
	t    *testing.T
	body *body
	err  chan error
}

func take(t *testing.T, o *Output, u Upload) *taking {
	return takeWith(t.Context(), t, o, u)
}

func takeWith(ctx context.Context, t *testing.T, o *Output, u Upload) *taking {
	k := &taking{t: t, body: newBody(), err: make(chan error, 1)}
	go func() { k.err <- o.Take(ctx, u, k.body) }()
	return k
}

func (k *taking) write(text string) {
	k.t.Helper()
	if _, err := io.WriteString(k.body, text); err != nil {
		k.t.Fatalf("writing the upload: %v", err)
	}
}

// ends closes the upload, for nil as whole, and returns what Take does.
func (k *taking) ends(err error) error {
	k.t.Helper()
	_ = k.body.CloseWithError(err)
	return k.result()
}

func (b *body) CloseWithError(err error) error { return b.PipeWriter.CloseWithError(err) }
func (b *body) Close() error                   { return b.PipeWriter.Close() }

func (k *taking) result() error {
	k.t.Helper()
	select {
	case err := <-k.err:
		return err
	case <-time.After(bound):
		k.t.Fatal("Take does not return")
		return nil
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

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantBody wants a *BodyError of that cause.
func wantBody(t *testing.T, err, cause error) {
	t.Helper()
	var b *BodyError
	if !errors.As(err, &b) || !errors.Is(err, cause) {
		t.Fatalf("%v, want a BodyError of %v", err, cause)
	}
}

// wantOutput wants an *OutputError with that text.
func wantOutput(t *testing.T, err error, text string) {
	t.Helper()
	var e *OutputError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), text) || e.Output == "" {
		t.Fatalf("%v, want an OutputError with %q", err, text)
	}
}

// aPipe makes a named pipe.
func aPipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	wantNil(t, unix.Mkfifo(path, 0o600))
	return path
}

// reading is the reading end of a named pipe. While nobody writes it gets an end
// at each Read, so ends count only after a byte has come.
type reading struct {
	t    *testing.T
	file *os.File
	text strings.Builder
}

func reader(t *testing.T, path string) *reading {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	wantNil(t, err)
	r := &reading{t: t, file: file}
	t.Cleanup(func() { _ = file.Close() })
	return r
}

// step reads once, and says whether that was an end.
func (r *reading) step() (end bool) {
	r.t.Helper()
	buf := make([]byte, 64<<10)
	_ = r.file.SetReadDeadline(time.Now().Add(bound))
	n, err := r.file.Read(buf)
	r.text.Write(buf[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		r.t.Fatalf("reading the pipe: %v", err)
	}
	return err != nil
}

// until reads until all of want has come, and nothing else.
func (r *reading) until(want string) {
	r.t.Helper()
	for start := time.Now(); r.text.Len() < len(want); {
		if r.step() {
			time.Sleep(time.Millisecond)
		}
		if time.Since(start) > bound {
			r.t.Fatalf("the pipe had %q, want %q", r.text.String(), want)
		}
	}
	if got := r.text.String(); got != want {
		r.t.Fatalf("the pipe had %.200q, want %.200q", got, want)
	}
}

// end reads to the end, after a byte has come: all writers are gone.
func (r *reading) end() string {
	r.t.Helper()
	for !r.step() {
	}
	return r.text.String()
}

// open says that the writers are still there, as far as can be seen now.
func (r *reading) open() bool {
	r.t.Helper()
	buf := make([]byte, 1)
	_ = r.file.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	n, err := r.file.Read(buf)
	r.text.Write(buf[:n])
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	wantNil(t, err)
	return string(b)
}

// names returns what is below a directory, files only.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	wantNil(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	}))
	return all
}
