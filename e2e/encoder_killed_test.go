package e2e

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path"
	"testing"
	"time"
)

// TestEncoderKilled kills the encoder in the middle of a segment. Whoever reads
// that segment must see the transfer break, nobody may ever be told that the
// bytes so far are the whole, and when the encoder comes back the channel plays
// again.
func TestEncoderKilled(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	for name, args := range map[string][]string{"memory": nil, "disk": {"--rdirs", "", "--write"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if args != nil {
				args[1] = t.TempDir()
			}
			s := serve(t, append(args, "--hold-timeout", "1s")...)
			p := newTee(t, s.addr())
			enc := pushDASH(t, push{seconds: 60, persistent: true}, p.url("/live/manifest.mpd"))
			const cut = "/live/chunk-stream0-00003.m4s"

			readers := make(chan *download, 2)
			for range cap(readers) {
				go readUntilEnd(t, s.addr(), cut, readers)
			}
			sent := p.waitGrowing(t, cut, 60<<10)
			enc.kill()
			for range cap(readers) {
				mustBeBroken(t, <-readers, sent)
			}
			eventually(t, cut+" gone", func() bool { return statusOf(t, s, cut) == http.StatusNotFound })
			if got := statusOf(t, s, "/live/chunk-stream0-00002.m4s"); got != http.StatusOK {
				t.Errorf("the segment before the cut one: status %d", got)
			}
			mustComeBack(t, s, p)
		})
	}
}

// readUntilEnd asks for a segment until it is there, and delivers how the first
// answer that had bytes ended.
func readUntilEnd(t *testing.T, addr, name string, out chan<- *download) {
	v := &viewer{addr: addr}
	defer v.close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if d, err := v.get(ctx, name); err == nil && d.status == http.StatusOK {
			out <- d
			return
		}
	}
	out <- nil
}

// mustBeBroken wants a transfer that delivered a beginning of what was sent and
// then broke off.
func mustBeBroken(t *testing.T, d *download, sent upload) {
	t.Helper()
	switch {
	case d == nil:
		t.Errorf("%s: no reader got an answer", sent.path)
	case errors.Is(d.err, os.ErrDeadlineExceeded):
		t.Errorf("%s: the reader of the cut segment still waited after %v", sent.path, patience)
	case d.err == nil:
		t.Errorf("%s: a reader of the cut segment saw a clean end after %d bytes", sent.path, len(d.body))
	case len(d.body) == 0:
		t.Errorf("%s: the reader got nothing before the transfer broke", sent.path)
	case !d.chunked || d.header.Get("Etag") != "":
		t.Errorf("%s: a growing segment came with header %v", sent.path, d.header)
	}
}

// mustComeBack starts the encoder anew, which counts its segments from 1 again,
// and plays the channel.
func mustComeBack(t *testing.T, s *server, p *tee) {
	t.Helper()
	const seg = "/live/chunk-stream0-00002.m4s"
	before := len(p.sent(seg))
	enc := pushDASH(t, push{seconds: 16, persistent: true}, p.url("/live/manifest.mpd"))
	p.waitSent(t, seg, before+1)
	mustProbe(t, s.http+"/live/manifest.mpd")
	mustPlay(t, s.http+"/live/manifest.mpd", 4)
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("the second encoder's exit code is %d", code)
	}
	p.mustBeAccepted(t)
	// memory keeps the five newest of a track by default, whatever their numbers were before
	for _, name := range append(dashNames("/live", 0, 5, 8), "/live/init-stream0.m4s") {
		us := p.sent(name)
		if d := fetch(t, s, name); len(us) == 0 || d.status != http.StatusOK || d.sum() != us[len(us)-1].sum() {
			t.Errorf("%s: status %d and %d bytes, not those sent last", path.Base(name), d.status, len(d.body))
		}
	}
}

// TestEncoderStalls stops an encoder without closing its connections. After the
// upload timeout its readers must be told, and the name must not be served.
func TestEncoderStalls(t *testing.T) {
	need(t, "ffmpeg")
	t.Parallel()
	s := serve(t, "--upload-timeout", "2s", "--hold-timeout", "1s")
	p := newTee(t, s.addr())
	enc := pushDASH(t, push{seconds: 60, persistent: true}, p.url("/live/manifest.mpd"))
	const cut = "/live/chunk-stream0-00002.m4s"
	readers := make(chan *download, 1)
	go readUntilEnd(t, s.addr(), cut, readers)
	sent := p.waitGrowing(t, cut, 60<<10)
	enc.freeze()
	d := <-readers
	mustBeBroken(t, d, sent)
	eventually(t, cut+" gone", func() bool { return statusOf(t, s, cut) == http.StatusNotFound })
}
