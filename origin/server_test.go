package origin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// slowReader reads little at a time.
type slowReader struct{ r io.Reader }

func (s slowReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 3000)]) }

// completeView returns the view of a complete file with the content.
func completeView(tb testing.TB, content string) segstore.View {
	tb.Helper()
	store, err := segstore.Open(segstore.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close(context.Background()) })
	w, err := store.Create("a.bin", segstore.Head{Length: -1})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return w.File().View()
}

// startOnly starts a server whose end is the test's business.
func startOnly(t *testing.T, cfg Config) (s *Server, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	s, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	return s, cancel, result
}

func loopbackConfig() Config {
	cfg := DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.Admin = AdminOff
	return cfg
}

func TestStoppingLetsASegmentRunToItsEnd(t *testing.T) {
	cfg := loopbackConfig()
	s, stop, done := startOnly(t, cfg)
	ts := &testServer{Server: s, t: t, url: s.URLs()[0], client: &http.Client{Timeout: patience}}
	defer ts.client.CloseIdleConnections()
	up := ts.upload("/a-1.m4s")
	up.chunk("begin ")
	ts.growingFile("/a-1.m4s", 6)
	_, resp := ts.openGet("/a-1.m4s")
	expect(t, resp.Body, "begin ")
	stop()
	eventually(t, "no new connection is taken", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	up.chunk("end")
	if r := up.end(); r.StatusCode != http.StatusCreated {
		t.Errorf("PUT: %s", r.Status)
	}
	if rest, err := io.ReadAll(resp.Body); string(rest) != "end" || err != nil {
		t.Errorf("viewer: %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestTwoServersOnOneAddressIsAnError(t *testing.T) {
	first := start(t)
	cfg := loopbackConfig()
	cfg.Listen = []string{strings.TrimPrefix(first.url, "http://")}
	if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), cfg.Listen[0]) {
		t.Errorf("err %v does not name the address", err)
	}
}

func TestAMountThatCannotBeOpenedIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := loopbackConfig()
	cfg.Mounts[0].Store = file
	if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "mount /") {
		t.Errorf("err %v does not name the mount", err)
	}
	cfg = loopbackConfig()
	cfg.ListenTLS, cfg.Cert, cfg.PKey = []string{"127.0.0.1:0"}, file, file
	if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("err %v does not name the certificate", err)
	}
}

func TestTheMostSpecificMountAnswers(t *testing.T) {
	s := start(t, func(c *Config) {
		for _, p := range []string{"/live", "/live/hd", "/livestock"} {
			m := c.Mounts[0]
			m.Path = p
			c.Mounts = append(c.Mounts, m)
		}
	})
	for _, path := range []string{"/x.txt", "/live/x.txt", "/live/hd/x.txt", "/livestock/x.txt"} {
		s.put(path, "at "+path)
	}
	for _, m := range s.mounts {
		if n := m.store.Stats().Files; n != 1 {
			t.Errorf("mount %s has %d files", m.cfg.Path, n)
		}
	}
	for _, path := range []string{"/x.txt", "/live/x.txt", "/live/hd/x.txt", "/livestock/x.txt"} {
		if a := s.do("GET", path, ""); a.body != "at "+path {
			t.Errorf("%s: %q", path, a.body)
		}
	}
}

func TestInitSegmentsSurviveARestartOfAMemoryMount(t *testing.T) {
	cfg := loopbackConfig()
	cfg.StateDir = t.TempDir()
	for round := range 2 {
		s, stop, done := startOnly(t, cfg)
		ts := &testServer{Server: s, t: t, url: s.URLs()[0], client: &http.Client{Timeout: patience}}
		if round == 0 {
			ts.put("/v/init-stream0.m4s", "init")
			ts.put("/v/chunk-stream0-00001.m4s", "segment")
		} else {
			if a := ts.do("GET", "/v/init-stream0.m4s", ""); a.body != "init" || a.StatusCode != 200 {
				t.Errorf("init: %s %q", a.Status, a.body)
			}
			if a := ts.do("GET", "/v/chunk-stream0-00001.m4s", ""); a.StatusCode != 404 {
				t.Errorf("segment: %s", a.Status)
			}
		}
		ts.client.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheAdminListener(t *testing.T) {
	s := start(t, func(c *Config) { c.Admin = "127.0.0.1:0" })
	s.put("/seg-1.m4s", "one")
	get := func(url string) (int, string) {
		resp, err := s.client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if code, text := get(s.AdminURL() + "/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("/healthz: %d %q", code, text)
	}
	code, text := get(s.AdminURL() + "/metrics")
	for _, want := range []string{
		`headwater_ingest_bytes_total{mount="/"} 3`,
		`headwater_uploads_total{mount="/",result="complete"} 1`,
		`headwater_requests_total{code="201",method="PUT",mount="/"} 1`,
		`headwater_files{mount="/"} 1`,
	} {
		if code != 200 || !strings.Contains(text, want) {
			t.Errorf("/metrics: %d, without %s", code, want)
		}
	}
	if a := s.do("GET", "/metrics", ""); a.StatusCode != 404 {
		t.Errorf("/metrics for the public: %s", a.Status)
	}
}

func TestWhatIsUnderWayIsCutAfterTheGrace(t *testing.T) {
	cfg := loopbackConfig()
	s, stop, done := startOnly(t, cfg)
	s.grace = 50 * time.Millisecond
	ts := &testServer{Server: s, t: t, url: s.URLs()[0], client: &http.Client{Timeout: patience}}
	up := ts.upload("/a-1.m4s")
	up.chunk("begin ")
	ts.growingFile("/a-1.m4s", 6)
	_, resp := ts.openGet("/a-1.m4s")
	expect(t, resp.Body, "begin ")
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if rest, err := io.ReadAll(resp.Body); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("viewer: %q and a clean end (%v)", rest, err)
	}
}
