package origin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withSource makes the one mount give its uploads to an output.
func withSource(s Source, change ...func(*Mount)) func(*Config) {
	return withMount(func(m *Mount) {
		m.Source = s
		for _, c := range change {
			c(m)
		}
	})
}

// mustHold waits until a file has the content.
func mustHold(t *testing.T, name, want string) {
	t.Helper()
	eventually(t, filepath.Base(name)+" holds "+want, func() bool {
		got, err := os.ReadFile(name)
		return err == nil && string(got) == want
	})
}

// TestSourceOutputs: each upload goes to the output as it comes, and is stored
// nowhere.
func TestSourceOutputs(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	far := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		far <- r.URL.Path + " " + string(body)
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	for name, tc := range map[string]struct {
		source Source
		check  func(t *testing.T, text string)
	}{
		"exec": {Source{Exec: []string{"sh", "-c", `cat >"$0"`, out}}, func(t *testing.T, text string) { mustHold(t, out, text) }},
		"file": {Source{File: out}, func(t *testing.T, text string) { mustHold(t, out, text) }},
		"dir":  {Source{File: dir + "/in/"}, func(t *testing.T, text string) { mustHold(t, filepath.Join(dir, "in", "a", "b.ts"), text) }},
		"url": {Source{URL: server.URL + "/far/"}, func(t *testing.T, text string) {
			if got := <-far; got != "/far/a/b.ts "+text {
				t.Errorf("the far end got %q", got)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withSource(tc.source))
			a := s.do("PUT", "/a/b.ts", "some text")
			if a.StatusCode != 201 || a.Header.Get("Content-Location") != "/a/b.ts" {
				t.Fatalf("%s %v %s", a.Status, a.Header, a.body)
			}
			tc.check(t, "some text")
			if m := s.mounts[0].metrics; counterValue(t, m.uploadComplete) != 1 || counterValue(t, m.ingestBytes) != 9 {
				t.Error("the upload is not counted")
			}
			for _, method := range []string{"GET", "HEAD"} {
				if a := s.do(method, "/a/b.ts", ""); a.StatusCode != 405 {
					t.Errorf("%s: %s", method, a.Status)
				}
			}
		})
	}
}

// TestSourceAborted: an upload that breaks off is told to the output, which has
// had what came before.
func TestSourceAborted(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	script := `trap 'echo told >>"$0"; exit 1' TERM; read -r line; echo "$line" >>"$0"; cat >/dev/null & wait`
	s := start(t, withSource(Source{Exec: []string{"bash", "-c", script, log}}))
	up := s.upload("/live.ts")
	up.chunk("first\n")
	mustHold(t, log, "first\n")
	_ = up.Close()
	mustHold(t, log, "first\ntold\n")

	file := filepath.Join(dir, "file")
	s = start(t, withSource(Source{File: file}))
	up = s.upload("/live.ts")
	up.chunk("half")
	mustHold(t, file+".part", "half")
	_ = up.Close()
	eventually(t, "nothing is left", func() bool {
		_, part := os.Stat(file + ".part")
		_, whole := os.Stat(file)
		return os.IsNotExist(part) && os.IsNotExist(whole)
	})
}

// TestSourceRefusals: what an output cannot take is told, and the connection is
// not left with the rest of it.
func TestSourceRefusals(t *testing.T) {
	s := start(t, withSource(Source{Exec: []string{"false"}}))
	if a := s.do("PUT", "/a.ts", "x"); a.StatusCode != 502 || a.body == "" {
		t.Errorf("a command that fails: %s %q", a.Status, a.body)
	}
	if a := s.do("PUT", "/a.ts", "x", "Content-Range: bytes 0-0/1"); a.StatusCode != 416 {
		t.Errorf("a part: %s", a.Status)
	}
	if a := s.do("POST", "/a.ts", ""); a.StatusCode != 200 {
		t.Errorf("a probe: %s", a.Status)
	}
	if a := s.do("PUT", "/dir/", "x"); a.StatusCode != 400 {
		t.Errorf("a directory: %s", a.Status)
	}
	if a := s.do("DELETE", "/a.ts", ""); a.StatusCode != 404 {
		t.Errorf("DELETE: %s", a.Status)
	}
	busy := start(t, withSource(Source{File: filepath.Join(t.TempDir(), "one")}, func(m *Mount) { m.UploadTimeout = Duration(200 * time.Millisecond) }))
	first := busy.upload("/a.ts")
	first.chunk("x")
	eventually(t, "it has the file", func() bool { return busy.Stats().Uploads == 1 })
	defer keepAlive(first)()
	c := busy.dial()
	c.send("PUT /b.ts HTTP/1.1", "Host: origin", "Content-Length: 1", "", "x")
	if resp := c.response("PUT"); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("whose turn did not come: %s", resp.Status)
	}
}

// keepAlive has an upload go on until stop is called.
func keepAlive(up *liveUpload) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = io.WriteString(up, "1\r\nx\r\n")
			}
		}
	}()
	return func() { close(done); <-ended }
}

// TestSourceBlockIO: with blockio an upload waits for an output that takes
// nothing for a while; without, the output is cut.
func TestSourceBlockIO(t *testing.T) {
	for block, want := range map[bool]int{true: 201, false: 502} {
		dir := t.TempDir()
		gate := filepath.Join(dir, "gate")
		s := start(t, withSource(Source{Exec: []string{"sh", "-c", `while [ ! -e "$0" ]; do sleep 0.05; done; cat >/dev/null`, gate}},
			func(m *Mount) { m.BlockIO, m.UploadTimeout = block, Duration(300*time.Millisecond) }))
		done := make(chan int, 1)
		go func() { done <- s.do("PUT", "/a.ts", strings.Repeat("x", 4<<20)).StatusCode }()
		if block {
			eventually(t, "it waits", func() bool { return s.Stats().Uploads == 1 })
			other := s.dial() // outlives the timeout of the other kind
			other.send("PUT /b.ts HTTP/1.1", "Host: origin", "Content-Length: 1")
			other.response("PUT") // 408 after six timeouts
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-done; got != want {
			t.Errorf("blockio %v: %d", block, got)
		}
	}
}

// TestSourceType: ext and mime say of what type an upload is.
func TestSourceType(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := start(t, withSource(Source{Exec: []string{"sh", "-c", `echo "$0 $1" >"$2"; cat >/dev/null`, "{name}", "{type}", out}},
		func(m *Mount) { m.Ext, m.MIME = "ts", "video/x-own" }))
	if a := s.do("PUT", "/live.bin", "x", "Content-Type: video/mp4"); a.StatusCode != 201 {
		t.Fatal(a.Status)
	}
	mustHold(t, out, "live.ts video/x-own\n")
}
