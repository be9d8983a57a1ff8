package access

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes directories, files (their names end with .txt) and links (from>to)
// in a new directory.
func tree(t *testing.T, entries ...string) string {
	t.Helper()
	top := t.TempDir()
	for _, e := range entries {
		from, to, link := strings.Cut(e, ">")
		path := filepath.Join(top, from)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(to, path)
		case strings.HasSuffix(from, ".txt"):
			err = os.WriteFile(path, nil, 0o600)
		default:
			err = os.MkdirAll(path, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// watch writes a rule file, in which TOP is the directory, and follows it.
func watch(t *testing.T, top, text string) (*LiveRules, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.ini")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "TOP", top)), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := WatchRules(file, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l, err
}

// A link leads around no rule: the rights of what is really opened hold, besides
// those of the path that was asked for.
func TestRightsThroughLinks(t *testing.T) {
	top := tree(t, "srv/private/deep/a.txt", "srv/open/b.txt", "outside/c.txt",
		"srv/pub>private", "srv/in>private/deep", "srv/file.txt>private/deep/a.txt", "srv/chain>pub", "srv/abs>TOPLINK",
		"srv/private/out>../open", "srv/away>../outside", "srv/self>self", "srv/gone>nowhere", "srv/home>.", "srv/up>../srv/private")
	srv := filepath.Join(top, "srv")
	_ = os.Remove(filepath.Join(srv, "abs"))
	if err := os.Symlink(filepath.Join(srv, "private"), filepath.Join(srv, "abs")); err != nil {
		t.Fatal(err)
	}
	l, err := watch(t, srv, "[TOP]\nwu=w\n[TOP/private]\nru=alice\nwu=alice\n[TOP/private/deep]\nru=bob\n")
	if err != nil {
		t.Fatal(err)
	}
	users := people{"alice": nil, "bob": nil, "w": nil}
	for path, want := range map[string]string{ // who may read; who may write
		"open/b.txt":             "all; w",
		"none/x.txt":             "all; w", // not there yet
		"private/x.txt":          "alice; alice",
		"private/deep/a.txt":     "bob; ",
		"pub/x.txt":              "alice; ", // w writes to pub, alice to private
		"pub/none/x.txt":         "alice; ",
		"pub/deep/a.txt":         "bob; ",
		"in/a.txt":               "bob; ",
		"in":                     "bob; ",
		"file.txt":               "bob; ",
		"chain/deep/a.txt":       "bob; ",
		"chain/x":                "alice; ",
		"abs/x":                  "alice; ",
		"up/x":                   "alice; ",
		"private/out/b.txt":      "alice; ", // the way there is private
		"away/c.txt":             "; ",
		"self/x":                 "; ",
		"gone":                   "all; w",
		"home/open/b.txt":        "all; w",
		"home/private/x":         "alice; ",
		"home/home/home/in/x":    "bob; ",
		"open/../pub/x.txt":      "alice; ",
		"pub/../open/b.txt":      "all; w",
		"":                       "all; w",
		strings.Repeat("x/", 99): "all; w",
	} {
		r := l.Rights(srv, path)
		var read, write []string
		if r.Read(t.Context(), nil, users) == Allowed {
			read = append(read, "all")
		}
		for _, name := range []string{"alice", "bob", "w"} {
			who := &Credentials{name, name}
			if len(read) == 0 && r.Read(t.Context(), who, users) == Allowed {
				read = append(read, name)
			}
			if r.Write(t.Context(), who, users) == Allowed {
				write = append(write, name)
			}
		}
		if got := strings.Join(read, " ") + "; " + strings.Join(write, " "); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	// A link that comes later is no way around either.
	if err := os.Symlink("private", filepath.Join(srv, "later")); err != nil {
		t.Fatal(err)
	}
	if d := l.Rights(srv, "later/x").Read(t.Context(), nil, users); d != NeedLogin {
		t.Error(d)
	}
	if d := l.Rights("/elsewhere", "x").Read(t.Context(), nil, users); d != Forbidden {
		t.Error(d)
	}
}

// Sections that are in one another by a link only are refused: what is right
// would depend on the way there.
func TestSectionsBehindLinks(t *testing.T) {
	top := tree(t, "a/b/c", "a/l>b", "x>a", "other", "a/o>../other")
	for text, want := range map[string]string{
		"[TOP/a]\n[TOP/a/b]":             "",
		"[TOP/x]\n[TOP/x/b]":             "", // both by the same link
		"[TOP/x]":                        "",
		"[TOP/a]\n[TOP/none]\n[TOP/a/n]": "",
		"[TOP/a]\n[TOP/a/o]\nname=o":     "", // it leads out: the one does not have it
		"[TOP/a]\n[TOP/a/l]\nru=x":       ":2: [TOP/a/l] is, by a link, b in the directory of the section in line 1: write it so",
		"[TOP/a/l]\nru=x\n[TOP/a]":       ":1: [TOP/a/l] is, by a link, b in the directory of the section in line 3: write it so",
		"[TOP/x]\n[TOP/a/b]\nru=x":       ":2: [TOP/a/b] is, by a link, b in the directory of the section in line 1: write it so",
		"[TOP/a]\n[TOP/x]\nname=x":       ":2: [TOP/x] is, by a link, the directory of the section in line 1",
		"[TOP/a]\n[TOP/a/l/c]\nru=x":     ":2: [TOP/a/l/c] is, by a link, b/c in the directory of the section in line 1: write it so",
	} {
		_, err := watch(t, top, text)
		got := ""
		if err != nil {
			_, got, _ = strings.Cut(err.Error(), "rules.ini")
		}
		if got != strings.ReplaceAll(want, "TOP", top) {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

// In memory there are no links, and what is on disk by chance has none for it.
func TestMemoryHasNoLinks(t *testing.T) {
	l, err := watch(t, "", "[gmem]\n[gmem/private]\nru=alice\n")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"x": "[]", "private/x": "[alice]"} {
		if got := fmt.Sprint(l.Rights(Memory, path).RU); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
