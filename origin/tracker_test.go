package origin

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// liveMPD is a manifest of a track of seg-N.m4s, a second each.
func liveMPD(depth int) string {
	return fmt.Sprintf(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" timeShiftBufferDepth="PT%dS"><Period><AdaptationSet>`+
		`<SegmentTemplate duration="1" media="seg-$Number$.m4s"/><Representation id="v" bandwidth="1"/></AdaptationSet></Period></MPD>`, depth)
}

// TestTimeShiftDepth: max_cache_segs N is, on disk and for a positive N, the larger
// of N and what the manifest promises to keep; in memory it is N.
func TestTimeShiftDepth(t *testing.T) {
	playlist := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nseg-1.m4s\n#EXTINF:1,\nseg-2.m4s\n" // promises five
	for what, tc := range map[string]struct {
		disk           bool
		n              int
		manifest, text string
		kept           int
	}{
		"memory, a small depth":  {false, 8, "live.mpd", liveMPD(3), 8},
		"memory, a large depth":  {false, 3, "live.mpd", liveMPD(30), 3},
		"memory, none known":     {false, 6, "live.mpd", "no manifest", 6},
		"memory, a playlist":     {false, 8, "live.m3u8", playlist, 8},
		"disk, a playlist":       {true, 2, "live.m3u8", playlist, 5},
		"disk, a large depth":    {true, 2, "live.mpd", liveMPD(6), 7},
		"disk, a small depth":    {true, 6, "live.mpd", liveMPD(2), 6},
		"disk, none known":       {true, 2, "live.mpd", "no manifest", 12},
		"disk, by number alone":  {true, -2, "live.mpd", liveMPD(6), 2},
		"memory, of other names": {false, 6, "other/live.mpd", liveMPD(2), 6},
	} {
		t.Run(what, func(t *testing.T) {
			s := start(t, withMount(func(m *Mount) {
				m.MaxCacheSegs = tc.n
				if tc.disk {
					m.Store = filepath.Join(t.TempDir(), "store")
				}
			}))
			s.put("/"+tc.manifest, tc.text)
			for i := range 12 {
				s.put(fmt.Sprintf("/seg-%d.m4s", i+1), "x")
			}
			eventually(t, fmt.Sprintf("%d segments are kept", tc.kept), func() bool { return s.kept(12) == tc.kept })
			if a := s.do("GET", "/"+tc.manifest, ""); a.body != tc.text {
				t.Errorf("the manifest is served as %q", a.body)
			}
		})
	}
}

// kept counts the segments that are there, of so many.
func (s *testServer) kept(of int) (n int) {
	for i := range of {
		if s.do("HEAD", fmt.Sprintf("/seg-%d.m4s", i+1), "").StatusCode == 200 {
			n++
		}
	}
	return n
}

// TestDepthFollowsTheManifest: a later version counts in the place of the one
// before, and of a manifest that was deleted nothing does.
func TestDepthFollowsTheManifest(t *testing.T) {
	log := new(syncBuffer)
	s := startLogging(t, log, withMount(func(m *Mount) { m.MaxCacheSegs, m.Store = 1, filepath.Join(t.TempDir(), "store") }))
	n := 0
	sends := func(want int) {
		t.Helper()
		for range 10 {
			n++
			s.put(fmt.Sprintf("/seg-%d.m4s", n), "x")
		}
		if got := s.kept(n); got != want {
			t.Errorf("after %d segments %d are kept, not %d", n, got, want)
		}
	}
	s.put("/live.mpd", liveMPD(1))
	sends(2)
	s.put("/live.mpd", liveMPD(4))
	sends(5)
	s.put("/live.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nseg-1.m4s\n#EXTINF:1,\nseg-2.m4s\n#EXTINF:1,\nseg-3.m4s\n")
	sends(7)
	s.do("DELETE", "/live.m3u8", "")
	sends(5)
	for range 3 {
		s.put("/live.mpd", "<broken")
	}
	if got := strings.Count(log.String(), "cannot be read"); got != 1 {
		t.Errorf("told %d times of a manifest that cannot be read", got)
	}
	if got := counterValue(t, s.metrics.unread.WithLabelValues("/")); got != 3 {
		t.Errorf("counted %v, not 3", got)
	}
}
