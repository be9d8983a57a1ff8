package origin

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// digits is a file of which every byte tells its place.
func digits(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%08x", i)
	}
	return b.String()[:n]
}

// complete starts a server with one complete segment and waits until it lies
// where it will be served from.
func complete(t *testing.T, content string, options ...func(*Config)) *testServer {
	t.Helper()
	s := start(t, options...)
	s.put("/live/seg-1.m4s", content)
	if s.cfg.Mounts[0].Store != GMem {
		eventually(t, "it lies on disk", func() bool {
			f, err := s.mounts[0].store.Lookup("live/seg-1.m4s")
			if err != nil {
				return false
			}
			b, err := f.Open()
			if err != nil {
				return false
			}
			defer func() { _ = b.Close() }()
			return b.OnDisk() != nil
		})
	}
	return s
}

var strongTag = regexp.MustCompile(`^"[\x21\x23-\x7e]+"$`)

func TestCompleteFiles(t *testing.T) {
	content := digits(3<<20 + 5) // more than one piece, block or deadline
	for kind, store := range stores(t) {
		s := complete(t, content, withTLS(t), withMount(store))
		for _, d := range s.doors() {
			a := d.send(t, "GET", "/live/seg-1.m4s", nil)
			if a.StatusCode != 200 || a.body != content || a.err != nil || a.Header.Get("Content-Length") != strconv.Itoa(len(content)) {
				t.Errorf("%s, %s: %s, %d bytes, %v, %v", kind, d.name, a.Status, len(a.body), a.err, a.Header)
			}
			modified, err := http.ParseTime(a.Header.Get("Last-Modified"))
			date, _ := http.ParseTime(a.Header.Get("Date"))
			if err != nil || modified.After(date) || time.Since(modified) > time.Hour {
				t.Errorf("Last-Modified %q, Date %q", a.Header.Get("Last-Modified"), a.Header.Get("Date"))
			}
			if !strongTag.MatchString(a.Header.Get("ETag")) || a.Header.Get("Accept-Ranges") != "bytes" || a.Header.Get("Content-Type") != "video/iso.segment" {
				t.Errorf("%v", a.Header)
			}
			head := d.send(t, "HEAD", "/live/seg-1.m4s", nil)
			if head.StatusCode != 200 || head.body != "" || !sameHeaders(head.Header, a.Header) {
				t.Errorf("%s, %s: HEAD: %s, %v; GET: %v", kind, d.name, head.Status, head.Header, a.Header)
			}
		}
	}
}

// sameHeaders compares all but the time of the answer.
func sameHeaders(a, b http.Header) bool {
	a, b = a.Clone(), b.Clone()
	a.Del("Date")
	b.Del("Date")
	return maps.EqualFunc(a, b, slices.Equal)
}

// TestConditionalGets is what a CDN sends when its copy has grown old. A 304
// has the headers that a 200 would have had (RFC 9110 section 15.4.5).
func TestConditionalGets(t *testing.T) {
	for kind, store := range stores(t) {
		s := complete(t, "content", withTLS(t), withMount(store))
		for _, d := range s.doors() {
			whole := d.send(t, "GET", "/live/seg-1.m4s", nil)
			tag, modified := whole.Header.Get("ETag"), whole.Header.Get("Last-Modified")
			for _, tc := range []struct {
				headers []string
				status  int
			}{
				{[]string{"If-None-Match: " + tag}, 304},
				{[]string{"If-None-Match: W/" + tag}, 304},
				{[]string{`If-None-Match: "a,b", ` + tag}, 304},
				{[]string{"If-None-Match: *"}, 304},
				{[]string{"If-Modified-Since: " + modified}, 304},
				{[]string{"If-None-Match: " + tag, "Range: bytes=0-1"}, 304},
				{[]string{`If-None-Match: "other"`, "If-Modified-Since: " + modified}, 200},
				{[]string{"If-Match: " + tag, "If-Unmodified-Since: " + modified}, 200},
				{[]string{"If-Match: *"}, 200},
				{[]string{"If-Match: W/" + tag}, 412},
				{[]string{"If-Unmodified-Since: " + time.Unix(1e9, 0).UTC().Format(http.TimeFormat)}, 412},
			} {
				for _, method := range []string{"GET", "HEAD"} {
					a := d.send(t, method, "/live/seg-1.m4s", nil, tc.headers...)
					if a.StatusCode != tc.status || a.err != nil {
						t.Errorf("%s, %s: %s %v: %s, want %d", kind, d.name, method, tc.headers, a.Status, tc.status)
					}
					if tc.status == 304 {
						checkNotModified(t, a, whole.Header)
					}
				}
			}
		}
	}
}

func checkNotModified(t *testing.T, a answered, whole http.Header) {
	t.Helper()
	want := whole.Clone()
	want.Del("Content-Length")
	want.Del("Content-Type")
	if a.body != "" || !sameHeaders(a.Header, want) {
		t.Errorf("304 with %q and %v; 200 has %v", a.body, a.Header, whole)
	}
}

// TestRangesOfCompleteFiles asks for ranges of a file of 40 bytes.
func TestRangesOfCompleteFiles(t *testing.T) {
	content := digits(40)
	for kind, store := range stores(t) {
		s := complete(t, content, withTLS(t), withMount(store))
		for _, d := range s.doors() {
			tag := d.send(t, "HEAD", "/live/seg-1.m4s", nil).Header
			for _, tc := range []struct {
				headers []string
				status  int
				span    string // Content-Range
				body    string
			}{
				{[]string{"Range: bytes=0-9"}, 206, "bytes 0-9/40", content[:10]},
				{[]string{"Range: bytes=5-5"}, 206, "bytes 5-5/40", content[5:6]},
				{[]string{"Range: bytes=30-"}, 206, "bytes 30-39/40", content[30:]},
				{[]string{"Range: bytes=0-"}, 206, "bytes 0-39/40", content},
				{[]string{"Range: bytes=-8"}, 206, "bytes 32-39/40", content[32:]},
				{[]string{"Range: bytes=-800"}, 206, "bytes 0-39/40", content},
				{[]string{"Range: bytes=38-9007199254740991"}, 206, "bytes 38-39/40", content[38:]},
				{[]string{"Range: bytes=38-41,50-60"}, 206, "bytes 38-39/40", content[38:]},
				{[]string{"Range: bytes=40-"}, 416, "bytes */40", ""},
				{[]string{"Range: bytes=40-50,-0"}, 416, "bytes */40", ""},
				{[]string{"Range: bytes=9-5"}, 200, "", content},
				{[]string{"Range: bytes=x"}, 200, "", content},
				{[]string{"Range: lines=0-1"}, 200, "", content},
				{[]string{"Range: bytes=0-,0-,0-"}, 200, "", content},
				{[]string{"Range: bytes=0-1", "If-Range: " + tag.Get("ETag")}, 206, "bytes 0-1/40", content[:2]},
				{[]string{"Range: bytes=0-1", "If-Range: " + tag.Get("Last-Modified")}, 200, "", content},
				{[]string{"Range: bytes=0-1", "If-Range: W/" + tag.Get("ETag")}, 200, "", content},
				{[]string{"Range: bytes=0-1", `If-Range: "other"`}, 200, "", content},
				{[]string{"Range: bytes=99-", `If-Range: "other"`}, 200, "", content},
				{[]string{"Range: bytes=0-1", "If-Match: " + tag.Get("ETag")}, 206, "bytes 0-1/40", content[:2]},
			} {
				a := d.send(t, "GET", "/live/seg-1.m4s", nil, tc.headers...)
				if a.StatusCode != tc.status || a.Header.Get("Content-Range") != tc.span || a.err != nil || tc.status != 416 && a.body != tc.body {
					t.Errorf("%s, %s: %v: %s, %q, %q, %v", kind, d.name, tc.headers, a.Status, a.Header.Get("Content-Range"), a.body, a.err)
				}
				if a.ContentLength != int64(len(a.body)) {
					t.Errorf("%s, %s: %v: length %d of %d", kind, d.name, tc.headers, a.ContentLength, len(a.body))
				}
				if tc.status != 416 && (a.Header.Get("ETag") != tag.Get("ETag") || a.Header.Get("Last-Modified") != tag.Get("Last-Modified") || a.Header.Get("Cache-Control") != tag.Get("Cache-Control")) {
					t.Errorf("%s, %s: %v: %v", kind, d.name, tc.headers, a.Header)
				}
				// Range is for GET alone (RFC 9110 section 14.2).
				if head := d.send(t, "HEAD", "/live/seg-1.m4s", nil, tc.headers...); head.StatusCode != 200 || head.ContentLength != 40 {
					t.Errorf("%s, %s: HEAD %v: %s", kind, d.name, tc.headers, head.Status)
				}
			}
		}
	}
}

func TestSeveralRanges(t *testing.T) {
	content := digits(3 << 20)
	for kind, store := range stores(t) {
		s := complete(t, content, withTLS(t), withMount(store))
		for _, d := range s.doors() {
			a := d.send(t, "GET", "/live/seg-1.m4s", nil, "Range: bytes=0-3, 100000-2100000,-5, 9999999-")
			media, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
			if a.StatusCode != 206 || media != "multipart/byteranges" || err != nil || a.Header.Get("Content-Range") != "" || a.ContentLength != int64(len(a.body)) || a.err != nil {
				t.Fatalf("%s, %s: %s, %v, %v", kind, d.name, a.Status, a.Header, a.err)
			}
			parts := multipart.NewReader(strings.NewReader(a.body), params["boundary"])
			for _, sp := range []span{{0, 4}, {100000, 2100001}, {3<<20 - 5, 3 << 20}} {
				p, err := parts.NextRawPart()
				if err != nil {
					t.Fatalf("%s, %s: %v", kind, d.name, err)
				}
				got, err := io.ReadAll(p)
				if string(got) != content[sp.from:sp.to] || err != nil || p.Header.Get("Content-Range") != contentRange(sp, 3<<20) || p.Header.Get("Content-Type") != "video/iso.segment" {
					t.Errorf("%s, %s: %v: %d bytes, %v, %v", kind, d.name, sp, len(got), p.Header, err)
				}
			}
			if _, err := parts.NextRawPart(); err != io.EOF {
				t.Errorf("after the last part: %v", err)
			}
		}
	}
}

func TestConcatenatedRanges(t *testing.T) {
	for kind, store := range stores(t) {
		s := complete(t, "0123456789", withMount(store), withMount(func(m *Mount) { m.ConcatRanges = true }))
		a := s.do("GET", "/live/seg-1.m4s", "", "Range: bytes=0-1,4-5,-1")
		if a.StatusCode != 206 || a.body != "01459" || a.ContentLength != 5 || a.Header.Get("Content-Type") != "video/iso.segment" {
			t.Errorf("%s: %s, %q, %v", kind, a.Status, a.body, a.Header)
		}
		a = s.do("GET", "/live/seg-1.m4s", "", "Range: bytes=4-5")
		if a.StatusCode != 206 || a.body != "45" || a.Header.Get("Content-Range") != "bytes 4-5/10" {
			t.Errorf("%s: one range: %s, %q, %v", kind, a.Status, a.body, a.Header)
		}
	}
}

func TestQueriesDoNotTellFilesApart(t *testing.T) {
	for kind, store := range stores(t) {
		s := complete(t, "content", withMount(store))
		if a := s.do("PUT", "/live/seg-1.m4s?token=1", "replaced"); a.StatusCode != 204 || a.Header.Get("Content-Location") != "/live/seg-1.m4s" {
			t.Errorf("%s: PUT: %s, %v", kind, a.Status, a.Header)
		}
		for _, query := range []string{"", "?", "?a=b", "?_HLS_msn=1&_HLS_part=2", "?../../x", "?%00", "?a;b", "#fragment"} {
			if a := s.do("GET", "/live/seg-1.m4s"+query, ""); a.body != "replaced" {
				t.Errorf("%s: %s: %s %q", kind, query, a.Status, a.body)
			}
		}
		if a := s.do("GET", "/live/seg-1.m4s%3Fa=b", ""); a.StatusCode != 404 {
			t.Errorf("%s: an encoded question mark is part of the name: %s", kind, a.Status)
		}
		if a := s.do("DELETE", "/live/seg-1.m4s?x", ""); a.StatusCode != 200 {
			t.Errorf("%s: DELETE: %s", kind, a.Status)
		}
	}
}
