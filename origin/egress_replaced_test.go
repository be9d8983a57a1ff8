package origin

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestFilesAreReplacedWhole rewrites a manifest and a segment while they are
// read: every reader gets one version, and its headers are that version's.
func TestFilesAreReplacedWhole(t *testing.T) {
	const rewrites = 60
	version := func(i int) string { return strings.Repeat(fmt.Sprintf("version %d\n", i), 1000+i) }
	for kind, store := range stores(t) {
		for _, path := range []string{"/live.mpd", "/seg-1.m4s"} {
			t.Run(kind+", "+path, func(t *testing.T) {
				s := start(t, withTLS(t), withMount(store))
				s.put(path, version(0))
				var done atomic.Bool
				var readers sync.WaitGroup
				for _, d := range s.doors() {
					readers.Go(func() {
						for !done.Load() {
							checkVersion(t, d.send(t, "GET", path, nil), path, version)
						}
					})
				}
				for i := range rewrites {
					s.put(path, version(i))
				}
				done.Store(true)
				readers.Wait()
				if a := s.do("GET", path, ""); a.body != version(rewrites-1) {
					t.Errorf("the last version is not there: %d bytes", len(a.body))
				}
				_ = s.do("DELETE", path, "")
				s.nothingLeft(t, 0, 0)
			})
		}
	}
}

func checkVersion(t *testing.T, a answered, path string, version func(int) string) {
	t.Helper()
	var i int
	if _, err := fmt.Sscanf(a.body, "version %d\n", &i); err != nil || a.err != nil || a.body != version(i) {
		t.Errorf("%s: %s, %d bytes that begin with %.12q, %v", path, a.Status, len(a.body), a.body, a.err)
	}
	growing := a.Header.Get("ETag") == ""
	if growing && strings.HasSuffix(path, ".mpd") || !growing && a.ContentLength != int64(len(a.body)) {
		t.Errorf("%s: length %d of %d, %v", path, a.ContentLength, len(a.body), a.Header)
	}
}

// TestARewriteHasAnotherTag although the content has the same length.
func TestARewriteHasAnotherTag(t *testing.T) {
	for kind, store := range stores(t) {
		s := start(t, withMount(store))
		seen := make(map[string]bool)
		for i := range 50 {
			s.put("/live.mpd", fmt.Sprintf("%04d", i))
			a := s.do("GET", "/live.mpd", "")
			if seen[a.Header.Get("ETag")] {
				t.Errorf("%s: rewrite %d has a tag that was there before", kind, i)
			}
			seen[a.Header.Get("ETag")] = true
		}
	}
}

// TestAPutOverAFileThatIsRead reads the old version, slowly, while the name is
// written anew, deleted, and written again.
func TestAPutOverAFileThatIsRead(t *testing.T) {
	content := digits(8 << 20) // more than all buffers between here and there
	for kind, store := range stores(t) {
		s := complete(t, content, withMount(store))
		c, resp := s.openGet("/live/seg-1.m4s")
		expect(t, resp.Body, content[:1000])
		s.put("/live/seg-1.m4s", "second")
		if a := s.do("GET", "/live/seg-1.m4s", ""); a.body != "second" {
			t.Errorf("%s: now %d bytes", kind, len(a.body))
		}
		_ = s.do("DELETE", "/live/seg-1.m4s", "")
		s.put("/live/seg-1.m4s", "third")
		if got, err := io.ReadAll(resp.Body); string(got) != content[1000:] || err != nil {
			t.Errorf("%s: %d bytes of the old version, %v", kind, len(got)+1000, err)
		}
		c.send("GET /live/seg-1.m4s HTTP/1.1", "Host: o")
		expect(t, c.response("GET").Body, "third")
	}
}

// TestEveryReplyGivesItsFileBack has every kind of reply with a file, taken
// and abandoned: when the file goes, all of its memory does.
func TestEveryReplyGivesItsFileBack(t *testing.T) {
	content := digits(8 << 20)
	s := complete(t, content, withTLS(t))
	for _, d := range s.doors() {
		for _, h := range []string{
			"Range: bytes=0-1", "Range: bytes=0-1,5-6", "Range: bytes=99999999-", "Range: bytes=x", "If-None-Match: *", `If-Match: "x"`,
		} {
			for _, method := range []string{"GET", "HEAD"} {
				_ = d.send(t, method, "/live/seg-1.m4s", nil, h)
			}
		}
		resp, err := d.client.Get(d.url + "/live/seg-1.m4s")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // a client that goes
	}
	if got := s.mounts[0].store.Stats().Bytes; got < 8<<20 {
		t.Errorf("the books say %d bytes", got)
	}
	_ = s.do("DELETE", "/live/seg-1.m4s", "")
	s.nothingLeft(t, 0, 0)
}
