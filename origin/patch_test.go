package origin

import (
	"fmt"
	"strings"
	"testing"
)

func TestPartialPut(t *testing.T) {
	for _, store := range []string{GMem, "directory"} {
		for _, tt := range []struct {
			name, header, body string
			status             int
			want               string
		}{
			{"within", "Content-Range: bytes 2-4/10", "abc", 204, "01abc56789"},
			{"unknown length", "Content-Range: bytes 2-4/*", "abc", 204, "01abc56789"},
			{"append", "Content-Range: bytes 10-12/*", "abc", 204, "0123456789abc"},
			{"over the end", "Content-Range: bytes 8-11/12", "abcd", 204, "01234567abcd"},
			{"a gap", "Content-Range: bytes 11-12/13", "ab", 416, "0123456789"},
			{"too short", "Content-Range: bytes 2-6/10", "abc", 400, "0123456789"},
			{"too long", "Content-Range: bytes 2-3/10", "abc", 400, "0123456789"},
			{"nonsense", "Content-Range: bytes two-three/4", "abc", 400, "0123456789"},
			{"beyond its own length", "Content-Range: bytes 2-4/4", "abc", 400, "0123456789"},
			{"another unit", "Content-Range: items 2-4/10", "abc", 400, "0123456789"},
			{"httpout: one range", "Range: bytes=2-4", "abc", 204, "01abc56789"},
			{"httpout: two", "Range: bytes=2-3,bytes=8-9", "abcd", 204, "01ab4567cd"},
			{"httpout: open", "Range: bytes=7-", "abcdef", 204, "0123456abcdef"},
			{"httpout: suffix", "Range: bytes=-3", "abc", 400, "0123456789"},
			{"httpout: open first", "Range: bytes=1-,bytes=3-4", "abc", 400, "0123456789"},
		} {
			for _, length := range []string{"announced", "chunked"} {
				t.Run(fmt.Sprint(store, " ", tt.name, " ", length), func(t *testing.T) {
					s := start(t, withMount(func(m *Mount) {
						if store != GMem {
							m.Store = t.TempDir()
						}
					}))
					s.put("/a.bin", "0123456789")
					etag := s.do("HEAD", "/a.bin", "").Header.Get("ETag")
					status := s.sendPart(tt.header, tt.body, length == "chunked")
					a := s.do("GET", "/a.bin", "")
					if status != tt.status || a.body != tt.want {
						t.Errorf("%d, now %q; want %d, %q", status, a.body, tt.status, tt.want)
					}
					if changed := a.Header.Get("ETag") != etag; changed != (status == 204) {
						t.Errorf("ETag changed: %v", changed)
					}
				})
			}
		}
	}
}

func (s *testServer) sendPart(header, body string, chunked bool) int {
	s.t.Helper()
	c := s.dial()
	if chunked {
		c.send("PUT /a.bin HTTP/1.1", "Host: o", header, "Transfer-Encoding: chunked")
		_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	} else {
		c.send("PUT /a.bin HTTP/1.1", "Host: o", header, fmt.Sprintf("Content-Length: %d", len(body)))
		_, _ = fmt.Fprint(c, body)
	}
	return c.response("PUT").StatusCode
}

func TestPartialPutOfNothing(t *testing.T) {
	s := start(t)
	if a := s.do("PUT", "/new.bin", "abc", "Content-Range: bytes 0-2/3"); a.StatusCode != 201 {
		t.Errorf("from the beginning: %s", a.Status)
	}
	if a := s.do("GET", "/new.bin", ""); a.body != "abc" {
		t.Errorf("it has %q", a.body)
	}
	if a := s.do("PUT", "/no.bin", "abc", "Content-Range: bytes 3-5/6"); a.StatusCode != 404 {
		t.Errorf("from the middle: %s", a.Status)
	}
	if a := s.do("PUT", "/no.bin", "abc", "Range: bytes=0-2"); a.StatusCode != 404 {
		t.Errorf("httpout's form: %s", a.Status)
	}
	if a := s.do("PUT", "/new.bin", "abc", "Range: bytes=0-2", "Content-Range: bytes 0-2/3"); a.StatusCode != 400 {
		t.Errorf("both: %s", a.Status)
	}
}

func TestPartialPutOfGrowing(t *testing.T) {
	s := start(t)
	up := s.upload("/a.bin")
	up.chunk("0123456789")
	s.growingFile("/a.bin", 10)
	if a := s.do("PUT", "/a.bin", "abc", "Content-Range: bytes 2-4/10"); a.StatusCode != 409 {
		t.Errorf("%s", a.Status)
	}
	up.end()
	if a := s.do("GET", "/a.bin", ""); a.body != "0123456789" {
		t.Errorf("it has %q", a.body)
	}
}

// TestBrokenPartialPut: half a part changes nothing.
func TestBrokenPartialPut(t *testing.T) {
	s := start(t)
	s.put("/a.bin", "0123456789")
	c := s.dial()
	c.send("PUT /a.bin HTTP/1.1", "Host: o", "Content-Range: bytes 2-5/10", "Content-Length: 4")
	_, _ = fmt.Fprint(c, "ab")
	_ = c.Close()
	eventually(t, "it has failed", func() bool { return gaugeValue(s.mounts[0].metrics.uploading) == 0 })
	if a := s.do("GET", "/a.bin", ""); a.body != "0123456789" {
		t.Errorf("it has %q", a.body)
	}
}

func FuzzUploadRange(f *testing.F) {
	f.Add("bytes=1-2,bytes=3-")
	f.Add("bytes 1-2/3")
	f.Fuzz(func(t *testing.T, header string) {
		spans, total, ok := parseUploadRange(header)
		if sp, isContent := parseContentRange(header); isContent {
			spans, total, ok = append(spans, sp), sp.To-sp.From, true
		}
		if !ok {
			return
		}
		var sum int64
		for i, sp := range spans {
			switch {
			case sp.From < 0, sp.To <= sp.From && (sp.To != -1 || i != len(spans)-1):
				t.Fatalf("%q: %v", header, spans)
			case sp.To >= 0:
				sum += sp.To - sp.From
			}
		}
		if total >= 0 && total != sum || strings.Contains(header, "=-") {
			t.Fatalf("%q: %v, %d", header, spans, total)
		}
	})
}
