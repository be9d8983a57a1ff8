package source

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/headwater-origin/headwater/origin/push"
)

// TestPushRefusedWhileQuiet: a far end that refuses, or goes, is noticed although
// the sender has nothing to send at the time.
func TestPushRefusedWhileQuiet(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 10))
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusForbidden)
	}))
	defer far.Close()
	o, _ := open(t, Options{Push: &push.Destination{URL: far.URL}})
	k := take(t, o, upload("a"))
	k.write("some bytes")
	wantOutput(t, k.result(), "403")
}

// TestPushBreaksWhileQuiet is the same of a connection that breaks.
func TestPushBreaksWhileQuiet(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 10))
		c, _, _ := http.NewResponseController(w).Hijack()
		_ = c.Close()
	}))
	defer far.Close()
	o, _ := open(t, Options{Push: &push.Destination{URL: far.URL}})
	k := take(t, o, upload("a"))
	k.write("some bytes")
	wantOutput(t, k.result(), "broke")
}
