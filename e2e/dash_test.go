package e2e

import (
	"fmt"
	"testing"
)

// TestDASHLive pushes low-latency DASH as ffmpeg does, with a connection for
// each file and with one per track, to viewers that were there before the
// channel, that join in the middle of a segment, and that come late; ffprobe
// and ffmpeg open it meanwhile and after its end.
func TestDASHLive(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	for _, persistent := range []bool{false, true} {
		t.Run(fmt.Sprintf("persistent=%v", persistent), func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--max-cache-segs", "20")
			p := newTee(t, s.addr())
			enc := pushDASH(t, push{seconds: 14, persistent: persistent}, p.url("/live/manifest.mpd"))

			viewers := newAudience(t)
			for track := range 2 {
				viewers.join(t, fmt.Sprintf("track %d from the start", track), s.addr(), dashNames("/live", track, 1, 6))
			}
			viewers.join(t, "second viewer from the start", s.addr(), dashNames("/live", 0, 1, 6))
			p.waitGrowing(t, "/live/chunk-stream0-00002.m4s", 30<<10)
			viewers.join(t, "joins in segment 2", s.addr(), dashNames("/live", 0, 2, 5))
			p.waitSent(t, "/live/chunk-stream0-00002.m4s", 1)
			viewers.join(t, "comes after segment 2", s.addr(), dashNames("/live", 1, 2, 5))
			mustProbe(t, s.http+"/live/manifest.mpd")
			mustPlay(t, s.http+"/live/manifest.mpd", 4)

			got := viewers.wait()
			if code := enc.wait(t, patience); code != 0 {
				t.Errorf("ffmpeg's exit code is %d", code)
			}
			mustBeWhatWasSent(t, p, got)
			mustComeEarly(t, p, got, 15)
			p.mustBeAccepted(t)
			mustServeLast(t, s, p, "/live/manifest.mpd")
			mustProbe(t, s.http+"/live/manifest.mpd")
			mustPlay(t, s.http+"/live/manifest.mpd", 4)
		})
	}
}
