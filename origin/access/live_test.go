package access

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a log to be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// ruleFile is a rule file that is watched.
type ruleFile struct {
	*LiveRules
	t    *testing.T
	path string
	log  *lines
}

func newRuleFile(t *testing.T, text string) *ruleFile {
	t.Helper()
	f := &ruleFile{t: t, path: filepath.Join(t.TempDir(), "rules.ini"), log: &lines{}}
	f.write(text)
	l, err := WatchRules(f.path, slog.New(slog.NewTextHandler(f.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	f.LiveRules = l
	t.Cleanup(func() { _ = l.Close() })
	return f
}

func (f *ruleFile) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *ruleFile) readers(dir, rel string) string { return strings.Join(f.Rights(dir, rel).RU, ",") }

func (f *ruleFile) wait(what string, ok func() bool) {
	f.t.Helper()
	eventually(f.t, what, ok)
}

func TestRulesFollowTheirFile(t *testing.T) {
	f := newRuleFile(t, "[/a]\nru=alice\n")
	f.write("[/a]\nru=bob\n[/a/b]\nru=carol\nwu=carol\n")
	f.wait("the new rules hold", func() bool { return f.readers("/a", "x") == "bob" && f.readers("/a", "b/x") == "carol" })
	if !f.HasWrite("/a") || f.HasWrite("/b") {
		t.Error("who may write")
	}
	// By a rename, as editors do.
	next := f.path + ".new"
	if err := os.WriteFile(next, []byte("[/a]\nru=dave\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, f.path); err != nil {
		t.Fatal(err)
	}
	f.wait("the renamed one holds", func() bool { return f.readers("/a", "b/x") == "dave" && !f.HasWrite("/a") })
	if got := f.Rules().Directories[0].RU[0]; got != "alice" {
		t.Errorf("the first rules are %s", got)
	}
}

// A file that is broken leaves the one before in force, and is told of once,
// however often it is read; a good one after it holds again, even the one before.
func TestBrokenRulesAfterGoodOnes(t *testing.T) {
	const good = "[/a]\nru=alice\n"
	f := newRuleFile(t, good)
	f.write("[/a]\nru=alice\nreaders=bob\n")
	f.wait("it is told of", func() bool { return f.log.count("cannot be used") == 1 })
	for range 3 { // written again and again, as it is
		f.write("[/a]\nru=alice\nreaders=bob\n")
		time.Sleep(2 * settle)
		if got := f.readers("/a", "x"); got != "alice" {
			t.Fatalf("a broken file is in force: %q", got)
		}
	}
	if n := f.log.count("cannot be used"); n != 1 {
		t.Errorf("told of %d times", n)
	}
	if n := f.log.count("rules.ini:3: readers"); n != 1 {
		t.Errorf("the line is named %d times", n)
	}
	f.write("[/a]\nru=bo:b\n")
	f.wait("another mistake is told of", func() bool { return f.log.count("cannot be used") == 2 })
	f.write(good)
	f.wait("the good one is loaded", func() bool { return f.log.count("rules loaded anew") == 1 })
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.wait("that it is gone is told of", func() bool { return f.log.count("cannot be used") == 3 })
	if got := f.readers("/a", "x"); got != "alice" {
		t.Errorf("%q", got)
	}
}

// Which directories there are stays; that a change of them needs a restart is
// told. One that is gone keeps its rights, and does not become public.
func TestDirectoriesStay(t *testing.T) {
	f := newRuleFile(t, "[/a]\nname=a\nru=alice\n[/b]\nru=bob\n[/c]\nru=carol\n")
	f.write("[/a]\nname=other\nru=dave\n[/d]\nru=x\n[/c/..]\nname=top\nru=$NONE\n[/c]\nru=erin\n")
	f.wait("the new rules hold", func() bool { return f.readers("/a", "x") == "dave" })
	for dir, want := range map[string]string{"/b": "bob", "/c": "erin", "/d": None, "/": None} {
		if got := f.readers(dir, "x"); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	for _, want := range []string{"no longer in the rules", "has another name", "is new in the rules"} {
		if f.log.count(want) == 0 {
			t.Errorf("%q is not told", want)
		}
	}
}

func TestFilesThatCannotBeWatched(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "none", "none"), dir, broken} {
		if _, err := WatchRules(path, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("rules %s: %v", path, err)
		}
		if _, err := OpenUsers(path, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("users %s: %v", path, err)
		}
	}
}

// A file that is a link, and one of whose parts changes, as it is with mounted
// secrets: ..data leads to another directory.
func TestFileBehindALinkThatChanges(t *testing.T) {
	dir := t.TempDir()
	for version, who := range map[string]string{"v1": "alice", "v2": "bob"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "rules.ini"), []byte("[/a]\nru="+who+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(from, to string) {
		t.Helper()
		if err := os.Symlink(to, from+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(from+".new", from); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(dir, "..data"), "v1")
	link(filepath.Join(dir, "rules.ini"), "..data/rules.ini")
	l, err := WatchRules(filepath.Join(dir, "rules.ini"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if got := l.Rights("/a", "x").RU[0]; got != "alice" {
		t.Fatal(got)
	}
	link(filepath.Join(dir, "..data"), "v2")
	eventually(t, "the other holds", func() bool { return l.Rights("/a", "x").RU[0] == "bob" })
}

// Requests come while the rules change: each is decided by one version.
func TestRulesChangeWhileRequestsCome(t *testing.T) {
	const versions = 5
	text := func(n int) string { return fmt.Sprintf("[/a]\nru=u%d\nwu=u%d\n[/a/b]\nru=u%d\nwu=u%d\n", n, n, n, n) }
	f := newRuleFile(t, text(0))
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				r := f.Rights("/a", []string{"x", "b/x"}[i%2])
				if r.RU[0] != r.WU[0] || !f.HasWrite("/a") {
					t.Errorf("half of a version: %v", r)
				}
				if d := r.Read(t.Context(), nil, nil); d != NeedLogin {
					t.Errorf("everybody is let in: %s", d)
				}
			}
		})
	}
	for n := 1; n <= versions; n++ {
		f.write(text(n))
		f.wait("the change holds", func() bool { return f.readers("/a", "b/x") == fmt.Sprint("u", n) })
	}
	cancel()
	all.Wait()
}
