package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// TestHLSLive pushes HLS with fMP4 segments as ffmpeg does. ffmpeg sends such a
// segment in one go when it is finished, so what there is to prove is that the
// held question for the next one is answered, with the bytes that were sent.
func TestHLSLive(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	for _, persistent := range []bool{false, true} {
		t.Run(fmt.Sprintf("persistent=%v", persistent), func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--max-cache-segs", "20")
			p := newTee(t, s.addr())
			enc := pushHLS(t, push{seconds: 12, persistent: persistent}, p.url("/hls/live.m3u8"))

			viewers := newAudience(t)
			viewers.join(t, "from the start", s.addr(), hlsNames("/hls", 0, 5))
			p.waitSent(t, hlsNames("/hls", 1, 1)[0], 1)
			viewers.join(t, "comes after segment 1", s.addr(), hlsNames("/hls", 1, 5))
			mustProbe(t, s.http+"/hls/live.m3u8")
			mustPlay(t, s.http+"/hls/live.m3u8", 4)

			got := viewers.wait()
			if code := enc.wait(t, patience); code != 0 {
				t.Errorf("ffmpeg's exit code is %d", code)
			}
			mustBeWhatWasSent(t, p, got)
			mustHaveBeenHeld(t, p, got, 4)
			p.mustBeAccepted(t)
			mustServeLast(t, s, p, "/hls/live.m3u8")
			mustProbe(t, s.http+"/hls/live.m3u8")
			mustPlay(t, s.http+"/hls/live.m3u8", 4)
		})
	}
}

// mustHaveBeenHeld proves that at least `least` downloads were asked for before
// their upload began, and that none of those was answered before it did.
func mustHaveBeenHeld(t *testing.T, p *tee, got []*download, least int) {
	t.Helper()
	held := 0
	for _, d := range got {
		sent := p.sent(d.path)
		if len(sent) != 1 || !d.asked.Before(sent[0].start) {
			continue
		}
		held++
		if len(d.body) > 0 && d.pieces[0].at.Before(sent[0].start) {
			t.Errorf("%s: bytes came before they were sent", d.path)
		}
	}
	if held < least {
		t.Errorf("%d questions were held, want at least %d", held, least)
	}
}

// TestEncoderDeletes lets both muxers delete what has left their window, and
// checks that it is gone, that what they still list is there, and that the
// encoder met no error.
func TestEncoderDeletes(t *testing.T) {
	need(t, "ffmpeg")
	channels := []struct {
		name, manifest, first, last string
		push                        func(*testing.T, push, string) *child
	}{
		{"dash", "/live/manifest.mpd", "/live/chunk-stream0-00001.m4s", "/live/chunk-stream0-00005.m4s", pushDASH},
		{"hls", "/live/live.m3u8", "/live/seg00000.m4s", "/live/seg00004.m4s", pushHLS},
	}
	for _, c := range channels {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--hold-timeout", "1s")
			p := newTee(t, s.addr())
			enc := c.push(t, push{seconds: 10, persistent: true, del: true}, p.url(c.manifest))
			if code := enc.wait(t, patience); code != 0 {
				t.Errorf("ffmpeg's exit code is %d", code)
			}
			if dels := p.snapshot(func(u *upload) bool { return u.method == http.MethodDelete }); len(dels) == 0 {
				t.Fatal("the encoder deleted nothing, so nothing is proved")
			}
			eventually(t, c.first+" deleted", func() bool { return statusOf(t, s, c.first) != http.StatusOK })
			if got := statusOf(t, s, c.last); got != http.StatusOK {
				t.Errorf("%s: status %d after the encoder's end", c.last, got)
			}
			p.mustBeAccepted(t)
		})
	}
}

// statusOf asks for path on a connection of its own.
func statusOf(t *testing.T, s *server, path string) int { return fetch(t, s, path).status }

// fetch gets path on a connection of its own.
func fetch(t *testing.T, s *server, path string, header ...string) *download {
	t.Helper()
	v := &viewer{addr: s.addr()}
	defer v.close()
	d, err := v.get(t.Context(), path, header...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
