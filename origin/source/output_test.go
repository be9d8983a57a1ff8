package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/headwater-origin/headwater/origin/push"
)

// TestNew: what is wrong is said in one line, before anything is uploaded.
func TestNew(t *testing.T) {
	dir := t.TempDir()
	wantNil(t, os.WriteFile(dir+"/file", nil, 0o600))
	for name, c := range map[string]struct {
		opt  Options
		want string
	}{
		"nothing":       {Options{}, "no output is given"},
		"two":           {Options{Exec: []string{"cat"}, File: "x"}, "not to a command and a file"},
		"no command":    {Options{Exec: []string{"no-such-command"}}, "the command is not found"},
		"no program":    {Options{Exec: []string{dir + "/file"}}, "permission denied"},
		"no pipe":       {Options{FIFO: dir + "/file"}, "is not a named pipe"},
		"no place":      {Options{FIFO: dir + "/none/pipe"}, "no such file"},
		"a directory":   {Options{File: dir}, "with a slash behind it"},
		"a pipe":        {Options{File: aPipe(t)}, "is not a regular file"},
		"no directory":  {Options{File: dir + "/none/x"}, "no such file"},
		"below a file":  {Options{File: dir + "/file/"}, "file exists"},
		"no URL":        {Options{Push: &push.Destination{URL: "localhost:80"}}, "is not a URL"},
		"negative":      {Options{Exec: []string{"cat"}, Timeout: -1}, "negative"},
		"no extension":  {Options{Exec: []string{"cat"}, Ext: "a/b"}, "is not an extension"},
		"no media type": {Options{Exec: []string{"cat"}, MIME: "a\r\nb"}, "control character"},
		"not writable":  {Options{File: "/proc/"}, "cannot be written to"},
	} {
		o, err := New(c.opt)
		if err == nil {
			shut(t, o)
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "source: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir); fmt.Sprint(got) != "[file]" {
		t.Errorf("there is %q", got)
	}
	o, err := New(Options{File: dir + "/made/", FIFO: ""})
	wantNil(t, err)
	shut(t, o)
	shut(t, o) // once more
	if _, err := os.Stat(dir + "/made"); err != nil {
		t.Error(err)
	}
}

// TestBodies: which ends of a body are one, each output being told the same way.
func TestBodies(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		body   io.Reader
		want   error // nil: whole
	}{
		"whole":               {-1, strings.NewReader("abc"), nil},
		"of its length":       {3, strings.NewReader("abc"), nil},
		"end with the bytes":  {3, iotest.DataErrReader(strings.NewReader("abc")), nil},
		"empty":               {-1, strings.NewReader(""), nil},
		"shorter":             {4, strings.NewReader("abc"), io.ErrUnexpectedEOF},
		"fails":               {-1, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errBody)), errBody},
		"fails with the rest": {-1, iotest.DataErrReader(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errBody))), errBody},
		"wraps an end":        {-1, iotest.ErrReader(fmt.Errorf("odd: %w", io.EOF)), io.EOF},
		"nothing for ever":    {-1, nothing{}, io.ErrNoProgress},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o, _ := open(t, Options{File: dir + "/"})
			err := o.Take(t.Context(), Upload{Name: "a", Length: c.length}, c.body)
			if c.want == nil {
				wantNil(t, err)
			} else {
				wantBody(t, err, c.want)
			}
			if got := names(t, dir); (len(got) == 1) != (c.want == nil) {
				t.Errorf("there is %q", got)
			}
		})
	}
	o, _ := open(t, Options{Stdout: io.Discard})
	err := o.Take(t.Context(), Upload{Name: "a", Length: 2}, strings.NewReader("abc"))
	if !errors.As(err, new(*BodyError)) || !strings.Contains(err.Error(), "longer") {
		t.Errorf("longer: %v", err)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// lastWords is a body whose sender goes as soon as all of it is sent: its context
// is done before the end is read.
type lastWords struct {
	text *strings.Reader
	gone context.CancelFunc
}

func (l *lastWords) Read(p []byte) (int, error) {
	l.gone()
	n, _ := l.text.Read(p)
	return n, io.EOF
}

// TestSenderGoesOnceAllIsSent: what is whole stays so.
func TestSenderGoesOnceAllIsSent(t *testing.T) {
	s := newScript(t, `echo begun >&9; cat >&9`)
	far := newFar(t, false)
	for name, opt := range map[string]Options{
		"exec": {Exec: s.argv}, "file": {File: t.TempDir() + "/x"}, "push": {Push: &push.Destination{URL: far.URL}},
	} {
		o, _ := open(t, opt)
		ctx, cancel := context.WithCancel(t.Context())
		if err := o.Take(ctx, upload("a"), &lastWords{strings.NewReader("all"), cancel}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := s.life.end(); got != "begun\nall" {
		t.Errorf("the command got %q", got)
	}
}

// TestSenderGoes: before that, it has broken off, though its Read blocks.
func TestSenderGoes(t *testing.T) {
	dir := t.TempDir()
	o, _ := open(t, Options{File: dir + "/"})
	ctx, cancel := context.WithCancelCause(t.Context())
	k := takeWith(ctx, t, o, upload("a"))
	k.write("half")
	cancel(errBody)
	wantBody(t, k.result(), errBody)
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}

// stubborn is a body that moves its deadline itself at each Read, as those do
// that bound how long a sender may be quiet.
type stubborn struct {
	*body
	mu    sync.Mutex
	spare int // deadlines that come to nothing
}

func (s *stubborn) SetReadDeadline(at time.Time) error {
	s.mu.Lock()
	s.spare--
	ok := s.spare < 0
	s.mu.Unlock()
	if !ok {
		return nil
	}
	return s.body.SetReadDeadline(at)
}

func TestStubbornBodyIsInterrupted(t *testing.T) {
	o, _ := open(t, Options{Exec: []string{"false"}})
	wantOutput(t, o.Take(t.Context(), upload("a"), &stubborn{body: newBody(), spare: 3}), "exit status 1")
}

// requestBody is the body of a request as a server hands it over.
type requestBody struct {
	io.Reader
	*http.ResponseController
}

// TestRealRequests: over HTTP/1.1 and HTTP/2 a command's end ends the reading of
// a request that has not ended, and what a client breaks off is broken off.
func TestRealRequests(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			s := newScript(t, `read x; echo "$x" >&9; [ "$x" = quit ] && exit 5; cat >/dev/null`)
			o, _ := open(t, Options{Exec: s.argv})
			result := make(chan error, 1)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				err := o.Take(r.Context(), upload("a"), requestBody{r.Body, http.NewResponseController(w)})
				if err != nil {
					w.WriteHeader(http.StatusBadGateway)
				}
				result <- err
			}))
			server.EnableHTTP2 = proto == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			send := func(body io.Reader) {
				resp, err := server.Client().Post(server.URL, "", body)
				if err == nil {
					_ = resp.Body.Close()
					if resp.Proto != proto {
						t.Errorf("it came over %s", resp.Proto)
					}
				}
			}
			r, w := io.Pipe()
			go send(r)
			_, _ = io.WriteString(w, "quit\n") // and keeps quiet
			wantOutput(t, <-result, "exit status 5")
			_ = w.Close()

			r, w = io.Pipe()
			go send(r)
			_, _ = io.WriteString(w, "go\n")
			s.life.until("quit\ngo\n")
			_ = w.CloseWithError(errBody)
			if err := <-result; !errors.As(err, new(*BodyError)) {
				t.Errorf("%v, want a BodyError", err)
			}

			go send(strings.NewReader("again\n"))
			wantNil(t, <-result)
		})
	}
}

// crumbs gives a little of what it has at a time.
type crumbs struct{ r io.Reader }

func (c crumbs) Read(p []byte) (int, error) { return c.r.Read(p[:97]) }

// TestParallel: many uploads at once, whole and broken, into each output.
func TestParallel(t *testing.T) {
	const many = 64
	dir, pipe := t.TempDir(), aPipe(t)
	far := newFar(t, false)
	var piped bytes.Buffer
	r := reader(t, pipe)
	done, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for over := false; !over; {
			buf := make([]byte, 64<<10)
			_ = r.file.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			n, err := r.file.Read(buf)
			piped.Write(buf[:n])
			select {
			case <-stop:
				over = n == 0
			default:
			}
			if errors.Is(err, io.EOF) {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	var out bytes.Buffer
	for name, opt := range map[string]Options{
		"exec":      {Exec: []string{"sh", "-c", `cat > "$1/$$.tmp" && mv "$1/$$.tmp" "$1/exec-$$"`, "sh", dir}},
		"directory": {File: dir + "/many/"},
		"file":      {File: dir + "/one"},
		"fifo":      {FIFO: pipe},
		"stdout":    {Stdout: &out},
		"push":      {Push: &push.Destination{URL: far.URL}},
	} {
		t.Run(name, func(t *testing.T) {
			o, _ := open(t, opt)
			var wg sync.WaitGroup
			for i := range many {
				wg.Go(func() {
					// Half of the names come twice, at the same time; every fourth breaks off.
					id := fmt.Sprintf("f%d", i/2)
					text := io.Reader(strings.NewReader(strings.Repeat(fmt.Sprintf("<%s>", id), 1000)))
					if i%4 == 3 {
						text = io.MultiReader(text, iotest.ErrReader(errBody))
					}
					err := o.Take(t.Context(), upload(id), crumbs{text})
					if (err != nil) != (i%4 == 3) {
						t.Errorf("%s: %v", id, err)
					}
				})
			}
			wg.Wait()
			if got := o.Stats(); got.Taken != many*3/4 || got.Aborted != many/4 || got.Active != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
	close(stop)
	<-done
	whole := regexp.MustCompile(`^(?:<f\d+>){1000}$`)
	left := 0
	for _, name := range names(t, dir) {
		if strings.HasSuffix(name, ".tmp") { // of a command that was ended
			continue
		}
		left++
		if !whole.MatchString(content(t, filepath.Join(dir, name))) {
			t.Errorf("%s is left, and is not whole", name)
		}
	}
	if want := many*3/4 + many/2 + 1; left != want {
		t.Errorf("%d files are left, want %d", left, want)
	}
	wholes := 0
	for range many {
		if g := <-far.got; errors.Is(g.err, io.EOF) {
			wholes++
		}
	}
	if wholes != many*3/4 {
		t.Errorf("the server took %d for whole", wholes)
	}
	for name, text := range map[string]string{"pipe": piped.String(), "stdout": out.String()} {
		if got := len(runs(text)); got != many {
			t.Errorf("%s: the uploads came in %d pieces", name, got)
		}
	}
}

// runs splits what uploads of at most 1000 tags make where another begins.
func runs(text string) (pieces []string) {
	count := 0
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(text, -1) {
		count++
		if len(pieces) == 0 || pieces[len(pieces)-1] != tag || count > 1000 {
			pieces, count = append(pieces, tag), 1
		}
	}
	return pieces
}

// TestCloseWaitsNoLongerThanAsked: a Read that cannot be interrupted is told of.
func TestCloseWaitsNoLongerThanAsked(t *testing.T) {
	d := defaultTimes()
	d.grace = short
	o, err := New(Options{Stdout: io.Discard, times: d})
	wantNil(t, err)
	b, result := newBody(), make(chan error, 1)
	go func() { result <- o.Take(context.Background(), upload("a"), plainBody{b}) }()
	_, _ = b.Write([]byte("x"))
	eventually(t, "a byte", func() bool { return o.Stats().Bytes == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	if err := o.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	_ = b.Close()
	if err := <-result; err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("Take: %v", err)
	}
	shut(t, o)
}

// TestErrors: errors can be told apart, and say which output it was.
func TestErrors(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &OutputError{"fifo:/x", fs.ErrPermission})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "output fifo:/x: permission denied") {
		t.Error(err)
	}
	if got := redacted("http://u:p@host/x?token=1#f"); got != "http://host/x" {
		t.Error(got)
	}
}
