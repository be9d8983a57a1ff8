package origin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/headwater-origin/headwater/segstore"
)

// withPush sends the files of the one mount on to the URL.
func withPush(url string, change ...func(*Mount)) func(*Config) {
	return withMount(func(m *Mount) {
		to := DefaultPush()
		to.URL = url + "/"
		m.Push = []PushTo{to}
		for _, c := range change {
			c(m)
		}
	})
}

// TestPushBlockIO: with blockio an upload waits until what came before it has
// gone on, and nothing is left out.
func TestPushBlockIO(t *testing.T) {
	var got, released atomic.Int64
	gate := make(chan struct{})
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-gate
		n, _ := io.Copy(io.Discard, r.Body)
		got.Add(n)
		w.WriteHeader(http.StatusCreated)
	}))
	defer far.Close()
	log := new(syncBuffer)
	s := startLogging(t, log, withPush(far.URL, func(m *Mount) { m.BlockIO = true }), func(c *Config) { c.ReqLog = "*" })
	const size = 40 << 20 // two of them are more than may wait
	big := strings.Repeat("x", size)
	s.put("/seg-1.m4s", big)
	s.put("/seg-2.m4s", big)
	before := make(chan int64, 1)
	go func() {
		s.put("/seg-3.m4s", "x")
		before <- released.Load()
	}()
	eventually(t, "the third has come", func() bool { return strings.Contains(log.String(), "path=/seg-3.m4s") })
	released.Store(1)
	close(gate)
	if <-before == 0 {
		t.Error("the third upload did not wait")
	}
	eventually(t, "all has gone on", func() bool { return got.Load() == 2*size+1 })
}

// TestPushKeepsFirst: of two uploads of one name the far end gets the one that
// the policy keeps.
func TestPushKeepsFirst(t *testing.T) {
	var last atomic.Value
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			last.Store(string(body))
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer far.Close()
	s := start(t, withPush(far.URL, func(m *Mount) { m.Policy = Policy(segstore.FirstWins) }))
	first := s.upload("/seg-1.m4s")
	first.chunk("first")
	s.growingFile("/seg-1.m4s", 5)
	second := s.upload("/seg-1.m4s")
	second.chunk("second")
	first.end()
	second.end()
	s.put("/live.mpd", "the last") // is sent after what was complete before it
	eventually(t, "all has gone on", func() bool { return last.Load() == "the last" })
	if a := s.do("GET", "/seg-1.m4s", ""); a.body != "first" {
		t.Errorf("kept here: %q", a.body)
	}
}
