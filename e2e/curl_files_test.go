package e2e

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// eachProto runs a test over every protocol, on one server.
func eachProto(t *testing.T, s *server, test func(t *testing.T, p curlProto, dir string)) {
	for _, p := range curlProtos(s) {
		t.Run(p.name, func(t *testing.T) { test(t, p, "/live/"+strings.ReplaceAll(p.name, " ", "-")) })
	}
}

// TestCurlUpload goes through what an upload may look like and be answered.
func TestCurlUpload(t *testing.T) {
	t.Parallel()
	eachProto(t, serveBoth(t), func(t *testing.T, p curlProto, dir string) {
		data, other := pattern(200_000, 1), pattern(150_000, 2)
		get := func(path string, want []byte) {
			t.Helper()
			a := p.curl(t, nil, path)
			a.want(t, p, "GET "+path, 200)
			if !bytes.Equal(a.body, want) {
				t.Errorf("GET %s: got %d bytes that are not the %d sent", path, len(a.body), len(want))
			}
		}
		a := p.put(t, dir+"/new/folder/seg-1.m4s", data)
		a.want(t, p, "PUT of a new name", 201)
		if loc := a.header.Get("Content-Location"); loc != dir+"/new/folder/seg-1.m4s" {
			t.Errorf("Content-Location %q", loc)
		}
		get(dir+"/new/folder/seg-1.m4s", data)
		p.put(t, dir+"/new/folder/seg-1.m4s", other).want(t, p, "PUT over a name", 200, 204)
		get(dir+"/new/folder/seg-1.m4s", other)

		p.curl(t, bytes.NewReader(data), dir+"/chunked.m4s", "-T", "-").want(t, p, "PUT of unknown length", 201)
		get(dir+"/chunked.m4s", data)
		p.curl(t, bytes.NewReader(data), dir+"/post.m4s", "-X", "POST", "-T", "-").want(t, p, "POST", 201)
		get(dir+"/post.m4s?token=1&a=b", data)

		p.put(t, "/"+dir+"//double//seg-1.m4s", data).want(t, p, "PUT with double slashes", 201)
		get(dir+"/double/seg-1.m4s", data)
		get(dir+"//double///seg-1.m4s", data)

		p.curl(t, nil, dir+"/probe.m4s", "-X", "POST", "-d", "").want(t, p, "empty POST", 200, 201, 202, 204)
		p.curl(t, nil, dir+"/probe.m4s").want(t, p, "GET of a probed name", 404)

		p.curl(t, nil, dir+"/post.m4s", "-X", "DELETE").want(t, p, "DELETE", 200, 204)
		p.curl(t, nil, dir+"/post.m4s").want(t, p, "GET after DELETE", 404, 410)
		p.curl(t, nil, dir+"/post.m4s", "-X", "PATCH").want(t, p, "a method nobody has", 405, 501)
	})
}

// TestCurlExpectContinue sends more than a megabyte with HTTP/1.1. curl then
// asks for leave first, and waits a second if none comes.
func TestCurlExpectContinue(t *testing.T) {
	t.Parallel()
	s := serveBoth(t)
	for _, p := range curlProtos(s)[:2] {
		a := p.put(t, "/live/"+p.name[:2]+"/big.m4s", pattern(2_000_000, 3), "-v", "-H", "Expect: 100-continue")
		a.want(t, p, "PUT of 2 MB", 201, 204)
		for _, line := range []string{"> Expect: 100-continue", "< HTTP/1.1 100 Continue"} {
			if !strings.Contains(a.trace, line) {
				t.Errorf("%s: curl's trace lacks %q:\n%s", p.name, line, a.trace)
			}
		}
		if strings.Contains(a.trace, "Done waiting for 100-continue") {
			t.Errorf("%s: curl gave up waiting for 100 Continue", p.name)
		}
	}
}

// TestCurlCompleteFile asks for a complete file in all the ways a cache does.
func TestCurlCompleteFile(t *testing.T) {
	t.Parallel()
	eachProto(t, serveBoth(t), func(t *testing.T, p curlProto, dir string) {
		path, data := dir+"/seg-7.m4s", pattern(100_000, 4)
		p.put(t, path, data).want(t, p, "PUT", 201)
		whole := p.curl(t, nil, path)
		whole.want(t, p, "GET", 200)
		etag, modified := whole.header.Get("Etag"), whole.header.Get("Last-Modified")
		if !strings.HasPrefix(etag, `"`) || !strings.HasSuffix(etag, `"`) || len(etag) < 4 {
			t.Errorf("ETag %q, want a strong quoted one", etag)
		}
		for name, want := range map[string]string{"Content-Length": "100000", "Content-Type": "video/iso.segment", "Accept-Ranges": "bytes"} {
			if got := whole.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if when, err := http.ParseTime(modified); err != nil || time.Since(when) > time.Hour {
			t.Errorf("Last-Modified %q: %v", modified, err)
		}
		head := p.curl(t, nil, path, "-I")
		head.want(t, p, "HEAD", 200)
		if head.header.Get("Content-Length") != "100000" || head.header.Get("Etag") != etag {
			t.Errorf("HEAD: header %v", head.header)
		}
		cases := []struct {
			header       []string
			status       int
			contentRange string
			body         []byte
		}{
			{[]string{"If-None-Match: " + etag}, 304, "", nil},
			{[]string{`If-None-Match: "else", W/` + etag}, 304, "", nil},
			{[]string{`If-None-Match: "else"`}, 200, "", data},
			{[]string{"If-Modified-Since: " + modified}, 304, "", nil},
			{[]string{"Range: bytes=0-99"}, 206, "bytes 0-99/100000", data[:100]},
			{[]string{"Range: bytes=99990-"}, 206, "bytes 99990-99999/100000", data[99990:]},
			{[]string{"Range: bytes=-10"}, 206, "bytes 99990-99999/100000", data[99990:]},
			{[]string{"Range: bytes=99990-200000"}, 206, "bytes 99990-99999/100000", data[99990:]},
			{[]string{"Range: bytes=0-9007199254740991"}, 206, "bytes 0-99999/100000", data},
			{[]string{"Range: bytes=100000-"}, 416, "bytes */100000", nil},
			{[]string{"Range: lines=1-2"}, 200, "", data},
			{[]string{"Range: bytes=5-9", "If-Range: " + etag}, 206, "bytes 5-9/100000", data[5:10]},
			{[]string{"Range: bytes=5-9", `If-Range: "else"`}, 200, "", data},
		}
		for _, c := range cases {
			var args []string
			for _, h := range c.header {
				args = append(args, "-H", h)
			}
			a := p.curl(t, nil, path, args...)
			what := strings.Join(c.header, ", ")
			a.want(t, p, what, c.status)
			if got := a.header.Get("Content-Range"); got != c.contentRange {
				t.Errorf("%s: Content-Range %q, want %q", what, got, c.contentRange)
			}
			if c.status < 300 && !bytes.Equal(a.body, c.body) {
				t.Errorf("%s: %d bytes that are not the %d asked for", what, len(a.body), len(c.body))
			}
		}
		mustBeParts(t, p.curl(t, nil, path, "-H", "Range: bytes=0-9,50000-50019,-5"), data[:10], data[50000:50020], data[99995:])
	})
}

// mustBeParts wants a multipart/byteranges answer with these parts.
func mustBeParts(t *testing.T, a answer, parts ...[]byte) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.status != 206 || kind != "multipart/byteranges" || err != nil {
		t.Errorf("three ranges: status %d, Content-Type %q", a.status, a.header.Get("Content-Type"))
		return
	}
	r := multipart.NewReader(bytes.NewReader(a.body), params["boundary"])
	for i, want := range parts {
		part, err := r.NextPart()
		if err != nil {
			t.Errorf("part %d: %v", i, err)
			return
		}
		got, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(got, want) || part.Header.Get("Content-Range") == "" {
			t.Errorf("part %d: %d bytes, header %v, %v", i, len(got), part.Header, err)
		}
	}
	if _, err := r.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last part: %v", err)
	}
}
