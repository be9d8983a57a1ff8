package push

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// logText is a log to be read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Nothing that lets one in is told, however a push fails.
func TestSecretsAreNotTold(t *testing.T) {
	refuses, breaks := newFar(t), newFar(t)
	refuses.answer = func(int, *http.Request) int { return 401 }
	breaks.answer = func(int, *http.Request) int { return -1 }
	elsewhere := newBalancer(t, 307, func(int, string) string { return refuses.URL + "/x?token=s3cret" })
	nowhere := newBalancer(t, 307, func(int, string) string { return "http://u:s3cret@" + refuses.Listener.Addr().String() + ":x/" })
	plain := strings.TrimPrefix(refuses.URL, "http://")
	log := &logText{}
	with := func(url string) Destination {
		return Destination{URL: url, KA: true, Bearer: "s3cret", Hdrs: [][2]string{{"X-Key", "s3cret"}}}
	}
	h := startLogged(t, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		with(refuses.URL+"?key=s3cret"), with(breaks.URL+"#s3cret"), with(deadURL(t)+"/?s3cret"), with(elsewhere.URL), with(nowhere.URL),
		with("https://"+plain+"/?s3cret"), Destination{URL: "http://me:s3cret@" + plain, KA: true})
	h.Deleted("x")
	eventually(t, "all have failed once", func() bool {
		for _, s := range h.Stats() {
			if s.Failed+s.Retried == 0 {
				return false
			}
		}
		return true
	})
	for _, s := range h.Stats() {
		if strings.Contains(s.URL, "s3cret") {
			t.Errorf("figures of %s", s.URL)
		}
	}
	h.stop()
	eventually(t, "Run ends", func() bool { return len(h.ran) == 1 })
	if text := log.String(); strings.Contains(text, "s3cret") || strings.Count(text, "push=") < 7 {
		t.Errorf("log:\n%s", text)
	}
}
