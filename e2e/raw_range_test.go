package e2e

import (
	"bytes"
	"net/http"
	"testing"
)

// TestRawRangeOnGrowing asks for ranges of a segment of which 10,000 bytes have
// come and 30,000 will. RFC 8673: a very large end is taken over and followed;
// any other end waits for its bytes, and for no more than them.
func TestRawRangeOnGrowing(t *testing.T) {
	t.Parallel()
	s := serve(t)
	data := pattern(30_000, 3)
	c := dialRaw(t, s)
	c.startUpload(t, "/live/seg-1.m4s")
	c.chunk(t, data[:10_000])
	mustAppear(t, s, "/live/seg-1.m4s")
	startReader(t, s, "/live/seg-1.m4s").await(t, 10_000)

	cases := []struct {
		ask, contentRange string // contentRange "" accepts any, since the RFC leaves it open
		now               int    // bytes that must come before the upload goes on
		want              []byte
	}{
		{"bytes=0-9007199254740991", "bytes 0-9007199254740991/*", 10_000, data},
		{"bytes=4000-9007199254740991", "bytes 4000-9007199254740991/*", 6000, data[4000:]},
		{"bytes=20000-9007199254740991", "bytes 20000-9007199254740991/*", 0, data[20_000:]},
		{"bytes=100-199", "bytes 100-199/*", 100, data[100:200]},
		{"bytes=9000-19999", "", 0, data[9000:20_000]},
		{"bytes=15000-15099", "", 0, data[15_000:15_100]},
		{"bytes=25000-999999", "", 0, data[25_000:]},
	}
	readers := make([]*reader, len(cases))
	for i, k := range cases {
		readers[i] = startReader(t, s, "/live/seg-1.m4s", "Range: "+k.ask)
		readers[i].await(t, k.now)
	}
	readers[3].mustEnd(t, "a range that is there already", true, data[100:200])
	c.chunk(t, data[10_000:22_000])
	for i, n := range map[int]int{0: 22_000, 1: 18_000, 2: 2000, 4: 11_000, 5: 100} {
		readers[i].await(t, n)
	}
	readers[4].mustEnd(t, "a range whose end has come", true, data[9000:20_000])
	c.chunk(t, data[22_000:])
	c.send(t, "0\r\n\r\n")
	for i, k := range cases {
		resp := <-readers[i].head
		if resp == nil || resp.StatusCode != http.StatusPartialContent {
			t.Errorf("%s: answer %v, want 206", k.ask, resp)
			continue
		}
		if got := resp.Header.Get("Content-Range"); k.contentRange != "" && got != k.contentRange || got == "" {
			t.Errorf("%s: Content-Range %q, want %q", k.ask, got, k.contentRange)
		}
		if i != 3 && i != 4 {
			readers[i].mustEnd(t, k.ask, true, k.want)
		}
	}
	if d := fetch(t, s, "/live/seg-1.m4s", "Range: bytes=25000-999999"); d.status != 206 ||
		d.header.Get("Content-Range") != "bytes 25000-29999/30000" || !bytes.Equal(d.body, data[25_000:]) {
		t.Errorf("afterwards: status %d, Content-Range %q", d.status, d.header.Get("Content-Range"))
	}
}

// TestRawOpenRangeOnGrowing asks with an open end, which has no legal answer in
// 206 that follows: whatever the form, the bytes must be the segment's from
// there to its real end.
func TestRawOpenRangeOnGrowing(t *testing.T) {
	t.Parallel()
	s := serve(t)
	data := pattern(30_000, 3)
	c := dialRaw(t, s)
	c.startUpload(t, "/live/seg-1.m4s")
	c.chunk(t, data[:10_000])
	mustAppear(t, s, "/live/seg-1.m4s")
	r := startReader(t, s, "/live/seg-1.m4s", "Range: bytes=4000-")
	resp := <-r.head
	if resp == nil {
		t.Fatal("no answer")
	}
	from := 0
	if resp.StatusCode == http.StatusPartialContent {
		from = 4000
	}
	r.await(t, 10_000-from)
	c.chunk(t, data[10_000:])
	c.send(t, "0\r\n\r\n")
	r.mustEnd(t, "an open range", true, data[from:])
}

// TestRawManifestWhole sends a manifest in two halves. Until the second has
// come, everybody gets the version before, and never a torn one.
func TestRawManifestWhole(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, name := range []string{"/live/live.mpd", "/live/live.m3u8"} {
		c := dialRaw(t, s)
		versions := [][]byte{pattern(3000, 1), pattern(2000, 2), pattern(4000, 3)}
		for i, v := range versions {
			c.startUpload(t, name)
			c.chunk(t, v[:1000])
			if d := fetch(t, s, name); i == 0 && d.status == 200 || i > 0 && !bytes.Equal(d.body, versions[i-1]) {
				t.Errorf("%s, version %d half sent: status %d and %d bytes", name, i, d.status, len(d.body))
			}
			c.chunk(t, v[1000:])
			c.send(t, "0\r\n\r\n")
			if got := c.status(t); got/100 != 2 {
				t.Errorf("%s: status %d", name, got)
			}
			if d := fetch(t, s, name); !bytes.Equal(d.body, v) || d.header.Get("Last-Modified") == "" {
				t.Errorf("%s, version %d sent: status %d and %d bytes, header %v", name, i, d.status, len(d.body), d.header)
			}
		}
	}
}
