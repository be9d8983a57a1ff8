package origin

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// vary returns the names that the reply varies by.
func vary(h http.Header) []string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(h.Values("Vary"), ","), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestCORS asks with and without an Origin. Fetch standard, section 3.3.
func TestCORS(t *testing.T) {
	const origin = "Origin: https://player.example"
	requests := []struct {
		method, path string
		headers      []string
		status       int
		vary         []string // apart from Origin
	}{
		{"GET", "/live/seg-8.m4s", nil, 200, nil},
		{"HEAD", "/live/seg-8.m4s", nil, 200, nil},
		{"GET", "/live/seg-8.m4s", []string{"Range: bytes=0-1"}, 206, nil},
		{"GET", "/live/seg-8.m4s", []string{"If-None-Match: *"}, 304, nil},
		{"HEAD", "/live/seg-9.m4s", nil, 200, nil}, // growing
		{"GET", "/live/seg-8.m4s", []string{"Range: bytes=100-"}, 416, []string{"Accept"}},
		{"GET", "/live/nothing.txt", nil, 404, []string{"Accept"}},
		{"GET", "/live/../x", nil, 400, []string{"Accept"}},
		{"PUT", "/live/other.txt", nil, 201, nil},
		{"DELETE", "/live/other.txt", nil, 200, nil},
	}
	for mode, allowed := range map[CORS]struct{ plain, fromPage bool }{CORSOn: {true, true}, CORSAuto: {false, true}, CORSOff: {}} {
		t.Run(mode.String(), func(t *testing.T) {
			s := start(t, noHold, withMount(func(m *Mount) { m.CORS, m.WriteFrom = mode, []string{PeersAny} }))
			channel(s)
			for _, r := range requests {
				for _, page := range []bool{false, true} {
					headers := r.headers
					want := allowed.plain
					if page {
						headers = append([]string{origin}, r.headers...)
						want = allowed.fromPage
					}
					if r.method == "PUT" && page {
						_ = s.do("DELETE", r.path, "")
					}
					if r.method == "DELETE" {
						s.put(r.path, "x")
					}
					a := s.do(r.method, r.path, "", headers...)
					if a.StatusCode != r.status {
						t.Errorf("%s %s %v: %s, want %d", r.method, r.path, headers, a.Status, r.status)
					}
					checkCORS(t, a, want)
					wantVary := slices.Clone(r.vary)
					if mode == CORSAuto {
						wantVary = append(wantVary, "Origin")
					}
					if got := vary(a.Header); !slices.Equal(got, wantVary) {
						t.Errorf("%s %s %v: varies by %q, want %q", r.method, r.path, headers, got, wantVary)
					}
				}
			}
		})
	}
}

func checkCORS(t *testing.T, a answered, allowed bool) {
	t.Helper()
	want := ""
	if allowed {
		want = "*"
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Timing-Allow-Origin"} {
		if got := strings.Join(a.Header.Values(name), ","); got != want {
			t.Errorf("%s %s (%s): %s is %q, want %q", a.Request.Method, a.Request.URL.Path, a.Status, name, got, want)
		}
	}
	if a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials are not allowed together with *")
	}
}

// TestPreflight is the Fetch standard, section 4.8: any 2xx with the method and
// the headers named lets the request through.
func TestPreflight(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*Mount)
		asked   string // headers
		methods string
		headers string
		allowed bool
	}{
		{"default", func(*Mount) {}, "", allowRead, "*", true},
		{"anybody may write", func(m *Mount) { m.WriteFrom = []string{PeersAny} }, "", allowWrite, "*", true},
		{"headers asked for", func(*Mount) {}, "authorization, content-type, x-own", allowRead, "authorization, content-type, x-own", true},
		{"auto", func(m *Mount) { m.CORS = CORSAuto }, "range", allowRead, "range", true},
		{"read-only", func(m *Mount) { m.Write = false }, "range", allowRead, "range", true},
		{"peers that may not write", func(m *Mount) { m.WriteFrom = []string{"192.0.2.1"} }, "", allowRead, "*", true},
		{"off", func(m *Mount) { m.CORS = CORSOff }, "range", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, withMount(tc.change))
			for _, path := range []string{"/live/never-seen.m4s", "/live/", "/", "//live//x"} {
				headers := []string{"Origin: https://player.example", "Access-Control-Request-Method: PUT"}
				if tc.asked != "" {
					headers = append(headers, "Access-Control-Request-Headers: "+tc.asked)
				}
				a := s.do("OPTIONS", path, "", headers...)
				if a.StatusCode != http.StatusNoContent || a.Header.Get("Content-Length") != "" || a.Header.Get("Allow") == "" {
					t.Errorf("%s: %s, %v", path, a.Status, a.Header)
				}
				checkCORS(t, a, tc.allowed)
				if got := a.Header.Get("Access-Control-Allow-Methods"); got != tc.methods {
					t.Errorf("methods %q, want %q", got, tc.methods)
				}
				if got := a.Header.Get("Access-Control-Allow-Headers"); got != tc.headers {
					t.Errorf("headers %q, want %q", got, tc.headers)
				}
				if got := slices.Contains(vary(a.Header), "Access-Control-Request-Headers"); got != tc.allowed {
					t.Errorf("varies by %q", vary(a.Header))
				}
				if (a.Header.Get("Access-Control-Max-Age") != "") != tc.allowed {
					t.Errorf("max-age %q", a.Header.Get("Access-Control-Max-Age"))
				}
			}
		})
	}
}

func TestOptionsThatIsNoPreflight(t *testing.T) {
	s := start(t)
	a := s.do("OPTIONS", "/x", "")
	if a.StatusCode != 204 || a.Header.Get("Allow") != allowWrite || a.Header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("%s, %v", a.Status, a.Header)
	}
	c := s.dial()
	c.send("OPTIONS * HTTP/1.1", "Host: origin")
	if resp := c.response("OPTIONS"); resp.StatusCode/100 != 2 {
		t.Errorf("*: %s", resp.Status)
	}
}

// TestCORSIsOnByDefault keeps replies free of Vary, which a CDN keeps badly.
func TestCORSIsOnByDefault(t *testing.T) {
	s := start(t)
	s.put("/seg-1.m4s", "x")
	a := s.do("GET", "/seg-1.m4s", "")
	checkCORS(t, a, true)
	if len(vary(a.Header)) > 0 {
		t.Errorf("varies by %q", vary(a.Header))
	}
}

// TestAPageCannotBorrowItsBrowsersAddress: a peer is trusted for its address,
// and any page that its browser shows could send from there.
func TestAPageCannotBorrowItsBrowsersAddress(t *testing.T) {
	for _, tc := range []struct {
		from    string
		headers []string
		status  int
	}{
		{PeersLoopback, nil, 201},
		{PeersLoopback, []string{"Origin: https://elsewhere.example"}, 403},
		{PeersLoopback, []string{"Sec-Fetch-Site: cross-site"}, 403},
		{PeersLoopback, []string{"Sec-Fetch-Site: same-origin", "Origin: https://elsewhere.example"}, 201},
		{PeersAny, []string{"Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"}, 201},
	} {
		for _, method := range []string{"PUT", "POST", "DELETE"} {
			s := start(t, withMount(func(m *Mount) { m.WriteFrom = []string{tc.from} }))
			body, want := "x", tc.status
			if method == "DELETE" {
				s.put("/seg-1.m4s", "x")
				body = ""
				if want == 201 {
					want = 200
				}
			}
			if a := s.do(method, "/seg-1.m4s", body, tc.headers...); a.StatusCode != want {
				t.Errorf("%s from %s with %v: %s", method, tc.from, tc.headers, a.Status)
			}
			if a := s.do("GET", "/seg-1.m4s", "", tc.headers...); (a.StatusCode == 200) != (method == "DELETE" && want == 403 || method != "DELETE" && want == 201) {
				t.Errorf("%s with %v left %s", method, tc.headers, a.Status)
			}
		}
	}
}
