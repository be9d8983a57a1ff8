package origin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// accessLines returns the access log by request path, once the server is done
// with so many requests.
func accessLines(t *testing.T, file string, least int) map[string]map[string]any {
	t.Helper()
	lines := map[string]map[string]any{}
	eventually(t, "all requests are in the log", func() bool {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Split(strings.TrimSpace(string(data)), "\n")
		if len(all) < least {
			return false
		}
		for _, line := range all {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			lines[entry["method"].(string)+" "+entry["path"].(string)] = entry
		}
		return true
	})
	return lines
}

// TestAccessLog has each way that a reply is written: whole, past net/http, from
// the crowd, and broken.
func TestAccessLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.json")
	s := start(t, func(c *Config) { c.AccessLog, c.Users = file, usersFile(t) }, withMount(func(m *Mount) { m.RU = []string{"$ALL", "alice"} }))
	s.put("/a.txt", "12345")
	s.do("GET", "/a.txt?token=secret", "", "User-Agent: viewer", basic("alice:alice-pw"))
	s.do("GET", "/none", "")
	up := s.upload("/seg-1.m4s")
	up.chunk("first,")
	s.growingFile("/seg-1.m4s", 6)
	c := s.dial()
	c.send("GET /seg-1.m4s HTTP/1.1", "Host: origin")
	resp := c.response("GET")
	expect(t, resp.Body, "first,")
	up.chunk("last")
	expect(t, resp.Body, "last")
	up.end()
	broken := s.upload("/seg-2.m4s")
	broken.chunk("half")
	s.growingFile("/seg-2.m4s", 4)
	viewer := s.dial()
	viewer.send("GET /seg-2.m4s HTTP/1.1", "Host: origin")
	expect(t, viewer.response("GET").Body, "half")
	_ = broken.Close()
	lines := accessLines(t, file, 7)
	for request, want := range map[string]map[string]any{
		"PUT /a.txt":     {"status": 201.0, "mount": "/", "peer": "127.0.0.1"},
		"GET /a.txt":     {"status": 200.0, "bytes": 5.0, "user_agent": "viewer", "proto": "HTTP/1.1"},
		"GET /none":      {"status": 404.0},
		"GET /seg-1.m4s": {"status": 200.0, "bytes": 10.0, "aborted": nil},
		"PUT /seg-1.m4s": {"status": 201.0},
		"GET /seg-2.m4s": {"status": 200.0, "bytes": 4.0, "aborted": true},
		"PUT /seg-2.m4s": {"status": 499.0, "aborted": true},
	} {
		for key, value := range want {
			if got := lines[request][key]; got != value {
				t.Errorf("%s: %s is %v, want %v", request, key, got, value)
			}
		}
	}
	if data, _ := os.ReadFile(file); strings.Contains(string(data), "secret") || strings.Contains(string(data), "alice-pw") {
		t.Errorf("a secret is in the log:\n%s", data)
	}
}
