package origin

import (
	"net/http"
	"testing"
	"time"
)

// channel fills the server with a live channel: a manifest, an init segment, a
// file of no kind, eight segments of which five are kept, and a ninth under
// way, which is returned.
func channel(s *testServer) *liveUpload {
	s.t.Helper()
	for _, name := range []string{"live.mpd", "live.m3u8", "init-0.m4s", "poster.jpg"} {
		s.put("/live/"+name, "content of "+name)
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		s.put("/live/seg-"+n+".m4s", "segment "+n)
	}
	up := s.upload("/live/seg-9.m4s")
	up.chunk("under way")
	s.growingFile("/live/seg-9.m4s", 9)
	return up
}

// noHold makes a request for the next segment a miss at once.
var noHold = withMount(func(m *Mount) { m.HoldTimeout = 0 })

// kindOfAnswer is a request whose answer is of a kind.
type kindOfAnswer struct {
	kind, method, path string
	headers            []string
	status             int
}

var kindsOfAnswers = []kindOfAnswer{
	{"manifest", "GET", "/live/live.mpd", nil, 200},
	{"manifest", "GET", "/live/live.m3u8", nil, 200},
	{"manifest", "HEAD", "/live/live.m3u8", nil, 200},
	{"manifest", "GET", "/live/live.mpd", []string{"Range: bytes=0-1"}, 206},
	{"manifest", "GET", "/live/live.mpd", []string{"If-None-Match: *"}, 304},
	{"init", "GET", "/live/init-0.m4s", nil, 200},
	{"segment", "GET", "/live/seg-8.m4s", nil, 200},
	{"segment", "HEAD", "/live/seg-8.m4s", nil, 200},
	{"segment", "GET", "/live/seg-8.m4s", []string{"Range: bytes=0-1,3-4"}, 206},
	{"segment", "GET", "/live/seg-8.m4s", []string{"If-None-Match: *"}, 304},
	{"other", "GET", "/live/poster.jpg", nil, 200},
	{"future", "HEAD", "/live/seg-9.m4s", nil, 200}, // grows, and may still fail
	{"future", "GET", "/live/seg-9.m4s", []string{"Range: bytes=0-3"}, 206},
	{"future", "GET", "/live/seg-10.m4s", nil, 404},
	{"future", "HEAD", "/live/seg-20.m4s", nil, 404},
	{"evicted", "GET", "/live/seg-1.m4s", nil, 404},
	{"evicted", "GET", "/live/seg-3.m4s", nil, 404},
	{"never", "GET", "/live/nothing.txt", nil, 404},
	{"never", "GET", "/live/", nil, 404},
	{"never", "GET", "/", nil, 404},
	{"never", "GET", "/live/seg-8.m4s/", nil, 404},
	{"error", "GET", "/live/seg-8.m4s", []string{"Range: bytes=100-"}, 416},
	{"error", "GET", "/live/seg-8.m4s", []string{`If-Match: "other"`}, 412},
	{"error", "GET", "/live/../seg-8.m4s", nil, 400},
	{"error", "PATCH", "/live/seg-8.m4s", nil, 405},
	{"error", "PUT", "/live/seg-8.m4s", []string{"Content-Range: bytes 0-1/2"}, 400},
	{"none", "OPTIONS", "/live/seg-8.m4s", nil, 204},
	{"none", "POST", "/live/", nil, 200},
	{"none", "PUT", "/live/other.txt", nil, 201},
	{"none", "DELETE", "/live/other.txt", nil, 200},
}

func TestCachingByKind(t *testing.T) {
	defaults := map[string]string{
		"manifest": "public, max-age=1", "init": "public, max-age=60", "segment": "public, max-age=3600",
		"growing": "public, max-age=3600", "other": "public, max-age=60", "future": "public, max-age=1",
		"evicted": "public, max-age=60", "never": "public, max-age=3", "error": "no-store",
	}
	own := map[string]string{
		"manifest": "max-age=11", "init": "max-age=12", "segment": "max-age=13, immutable", "growing": "max-age=14",
		"other": "max-age=15", "future": "max-age=16", "evicted": "max-age=17", "never": "max-age=18", "error": "no-store",
	}
	for name, tc := range map[string]struct {
		said CacheControl
		want map[string]string
	}{
		"default": {CacheControl{}, defaults},
		"own": {CacheControl{
			Manifest: "max-age=11", Init: "max-age=12", Segment: "max-age=13, immutable", Growing: "max-age=14",
			Other: "max-age=15", Future: "max-age=16", Evicted: "max-age=17", Never: "max-age=18",
		}, own},
		"none": {CacheControl{
			Manifest: NoCacheControl, Init: NoCacheControl, Segment: NoCacheControl, Growing: NoCacheControl,
			Other: NoCacheControl, Future: NoCacheControl, Evicted: NoCacheControl, Never: NoCacheControl,
		}, map[string]string{"error": "no-store"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, noHold, withMount(func(m *Mount) { m.CacheControl = tc.said }))
			channel(s)
			if _, resp := s.openGet("/live/seg-9.m4s"); resp.Header.Get("Cache-Control") != tc.want["growing"] {
				t.Errorf("growing: %v; want %q", resp.Header, tc.want["growing"])
			}
			for _, k := range kindsOfAnswers {
				a := s.do(k.method, k.path, "", k.headers...)
				if got := a.Header.Values("Cache-Control"); a.StatusCode != k.status || len(got) > 1 || a.Header.Get("Cache-Control") != tc.want[k.kind] {
					t.Errorf("%s %s %v: %s, Cache-Control %q; want %d, %q", k.method, k.path, k.headers, a.Status, got, k.status, tc.want[k.kind])
				}
			}
		})
	}
}

// TestCachingOfAHeldRequest is the reply to who waited in vain.
func TestCachingOfAHeldRequest(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.HoldTimeout = Duration(time.Millisecond) }))
	s.put("/seg-1.m4s", "x")
	if a := s.do("GET", "/seg-2.m4s", ""); a.StatusCode != 404 || a.Header.Get("Cache-Control") != "public, max-age=1" {
		t.Errorf("%s, %v", a.Status, a.Header)
	}
}

func TestCachingOutsideAnyMount(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.Path = "/live"; m.CacheControl.Never = "max-age=18" }))
	for path, want := range map[string]string{"/live/x": "max-age=18", "/livex": "public, max-age=3", "/": "public, max-age=3"} {
		if a := s.do("GET", path, ""); a.StatusCode != http.StatusNotFound || a.Header.Get("Cache-Control") != want {
			t.Errorf("%s: %s, %v; want %q", path, a.Status, a.Header, want)
		}
	}
}
