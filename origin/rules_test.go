package origin

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ruledServer serves a rule file whose DIR is a directory with some files.
func ruledServer(t *testing.T, rules string) (s *testServer, dir, file string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"foo/a.txt", "foo/private/b.txt", "foo/private/open/c.txt", "foo/privateer/d.txt", "one/e.txt", "two/f.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(t.TempDir(), "rules.ini")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(rules, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, func(c *Config) { c.Users = usersFile(t) }, withMount(func(m *Mount) { m.Store, m.Write = file, false })), dir, file
}

func TestRuleFile(t *testing.T) {
	s, dir, _ := ruledServer(t, `
[DIR/foo]
name=bar
[DIR/foo/private]
ru=alice
wg=encoders
[DIR/foo/private/open]
ru=$ALL
[DIR/one]
wu=bob
[DIR/two]
ru=$NONE
[DIR/elsewhere]
filters=rtspout
`)
	alice, bob := basic("alice:alice-pw"), basic("bob:bob-pw")
	for _, tt := range []struct {
		method, path, login string
		status              int
	}{
		{"GET", "/bar/a.txt", "", 200},
		{"GET", "/foo/a.txt", "", 403}, // not where the directory is, but in the last at the root, which is nobody's
		{"GET", "/bar/private/b.txt", "", 401},
		{"GET", "/bar/private/b.txt", alice, 200},
		{"GET", "/bar/private/b.txt", bob, 403},
		{"GET", "/bar//private/b.txt", "", 401},
		{"GET", "/bar/%70rivate/b.txt", "", 401},
		{"GET", "/bar/private/open/c.txt", "", 200},
		{"GET", "/bar/privateer/d.txt", "", 200},
		{"PUT", "/bar/new.txt", bob, 403},
		{"PUT", "/bar/private/new.txt", bob, 201},
		{"PUT", "/bar/private/new2.txt", alice, 403},
		{"PUT", "/bar/private/new2.txt", "", 401},
		{"DELETE", "/bar/private/new.txt", "", 401},
		{"DELETE", "/bar/private/new.txt", bob, 200},
		{"GET", "/e.txt", "", 200}, // without a name, at the root: of two, either
		{"GET", "/f.txt", "", 403},
		{"PUT", "/g.txt", bob, 201},
		{"PUT", "/h.txt", alice, 403},
	} {
		var headers []string
		if tt.login != "" {
			headers = []string{tt.login}
		}
		if a := s.do(tt.method, tt.path, map[bool]string{true: "x"}[tt.method == "PUT"], headers...); a.StatusCode != tt.status {
			t.Errorf("%s %s (%.30s): %s, want %d", tt.method, tt.path, tt.login, a.Status, tt.status)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "one", "g.txt")); err != nil {
		t.Error(err)
	}
}

// TestRuleFileChanges: who may is asked of the file as it is now.
func TestRuleFileChanges(t *testing.T) {
	s, dir, file := ruledServer(t, "[DIR/foo]\nru=alice\n")
	if a := s.do("GET", "/a.txt", ""); a.StatusCode != 401 {
		t.Fatalf("%s", a.Status)
	}
	if err := os.WriteFile(file, []byte("["+dir+"/foo]\nru=$ALL\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new rules hold", func() bool { return s.do("GET", "/a.txt", "").StatusCode == 200 })
}

func TestBadRuleFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.ini")
	for rules, want := range map[string]string{
		"":                             "names no directory",
		"[" + dir + "]\nru=alice\n":    "needs the file with them",
		"[" + dir + "]\nreaders=all\n": file + ":2:",
	} {
		if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := DefaultConfig()
		cfg.Listen, cfg.Admin, cfg.Mounts[0].Store = []string{"127.0.0.1:0"}, AdminOff, file
		_, err := New(cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", rules, err, want)
		}
	}
}
