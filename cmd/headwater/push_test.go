package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPushCommand: each flag reaches the server, and the exit code tells what
// came of it.
func TestPushCommand(t *testing.T) {
	got := make(chan *http.Request, 1)
	status := 201
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r
		w.WriteHeader(status)
	}))
	t.Cleanup(far.Close)
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "secret")
	for name, text := range map[string]string{file: "film", secret: "pass\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	push := func(want int, args ...string) (*http.Request, string) {
		p := startProgram(t, append([]string{"push", file, far.URL + "/in/"}, args...)...)
		r := <-got
		p.wait(t, want)
		return r, p.stderr.String()
	}
	r, _ := push(0, "--post", "--hdrs", "X-Key,1", "--user_agent", "mine", "--user", "ann", "--password-file", secret)
	if user, pass, _ := r.BasicAuth(); r.Method != http.MethodPost || r.URL.Path != "/in/a.mp4" || r.Header.Get("X-Key") != "1" ||
		r.UserAgent() != "mine" || user != "ann" || pass != "pass" {
		t.Error(r.Method, r.URL, r.Header)
	}
	if r, _ = push(0, "--bearer-file", secret); r.Method != http.MethodPut || r.Header.Get("Authorization") != "Bearer pass" {
		t.Error(r.Method, r.Header)
	}
	status = 405
	if _, text := push(1); !strings.Contains(text, "405") || !strings.Contains(text, far.URL) {
		t.Errorf("refused: %s", text)
	}
}

func TestPushMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no URL":          {[]string{"-"}, "url"},
		"bad URL":         {[]string{"-", "gopher://x/y"}, "gopher"},
		"odd headers":     {[]string{"--hdrs", "X-Key", "-", "http://127.0.0.1:1/y"}, "--hdrs"},
		"no such secret":  {[]string{"--user", "a", "--password-file", "/no/file", "-", "http://127.0.0.1:1/y"}, "--password-file: open /no/file"},
		"two credentials": {[]string{"--user", "a", "--bearer-file", os.Args[0] + ".none", "-", "http://127.0.0.1:1/y"}, "--bearer-file"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, append([]string{"push"}, c.args...)...)
			p.wait(t, 2)
			if text := p.stderr.String(); !strings.Contains(text, c.want) || strings.Count(text, "\n") != 1 {
				t.Errorf("stderr %q, want one line with %q", text, c.want)
			}
		})
	}
}
