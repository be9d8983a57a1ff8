package access

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func edit(t *testing.T, file string, change func(*Accounts) error) {
	t.Helper()
	if err := Edit(context.Background(), file, change); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, file string) *Users {
	t.Helper()
	u, err := OpenUsers(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// TestUsersFollowTheirFile: what an edit changes holds at once, and a broken
// file changes nothing.
func TestUsersFollowTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error { a.cost = cheap; return a.AddUser("alice", "old") })
	u := open(t, file)
	if !u.Check(t.Context(), "alice", "old") || u.Check(t.Context(), "alice", "new") || u.Check(t.Context(), "bob", "old") {
		t.Fatal("the file is not what is checked against")
	}
	edit(t, file, func(a *Accounts) error {
		a.cost = cheap
		return errors.Join(a.SetPassword("alice", "new"), a.AddUser("bob", "b"), a.AddGroup("ops"), a.Join("ops", "bob"))
	})
	eventually(t, "the new password holds", func() bool { return u.Check(t.Context(), "alice", "new") })
	if u.Check(t.Context(), "alice", "old") || !u.Member("bob", "ops") || u.Member("alice", "ops") || !u.Member("alice", Everyone) {
		t.Error("the groups or the old password")
	}
	if err := os.WriteFile(file, []byte("users: [broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if !u.Check(t.Context(), "alice", "new") {
			t.Fatal("a broken file has taken effect")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestEditsAtOnceLoseNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := Edit(context.Background(), file, func(a *Accounts) error { return a.AddGroup(fmt.Sprintf("g%d", i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a, err := ReadAccounts(file)
	if err != nil || len(a.Groups()) != 8 {
		t.Errorf("%v, %v", a, err)
	}
}

func TestEditIsAllOrNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("before") })
	err := Edit(context.Background(), file, func(a *Accounts) error {
		return errors.Join(a.AddGroup("after"), errors.New("no"))
	})
	a, readErr := ReadAccounts(file)
	if err == nil || readErr != nil || len(a.Groups()) != 1 {
		t.Errorf("%v, %v, %v", err, readErr, a)
	}
}

func TestAuthorization(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for value, want := range map[string]string{
		"":                                   "nobody",
		"Bearer x":                           "nobody",
		"Basic " + b64([]byte("a:b:c")):      "a b:c",
		"basic  " + b64([]byte("a:")):        "a ",
		"Basic " + b64([]byte("no colon")):   "malformed",
		"Basic %%%":                          "malformed",
		"Basic " + b64([]byte("a\x00:b")):    "malformed",
		"Basic " + b64([]byte("ä:pässword")): "ä pässword",
	} {
		got := "nobody"
		c, err := ParseAuthorization(value)
		switch {
		case errors.Is(err, ErrMalformed):
			got = "malformed"
		case c != nil:
			got = c.User + " " + c.Password
		}
		if got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if got := Challenge(`a"b\c`); !strings.HasPrefix(got, `Basic realm="a\"b\\c"`) {
		t.Error(got)
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("Basic YTpi")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseAuthorization(value)
		if c != nil && (err != nil || strings.Contains(c.User, ":")) {
			t.Fatalf("%q: %v, %v", value, c, err)
		}
	})
}

func TestRuleErrorsNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"[a]\nru=x\nreaders=y\n":     "f:3:",
		"ru=x\n":                     "f:1:",
		"[a]\n[a]\n":                 "f:2:",
		"[a]\nname=n\n[b]\nname=n\n": "f:",
		"[a\n":                       "f:1:",
	} {
		if _, err := ParseRules("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// FuzzRules holds that a rule file is understood or refused in one line, that
// the rights of any path can be asked for, and that no way of writing a path
// leads to other rights.
func FuzzRules(f *testing.F) {
	f.Add("[a]\nname=b\nru=$ALL\n[a/c]\nwg=g\n", "c/d")
	f.Add("[gmem]\n[gmem/a]\nru=x\n[/]\nfilters=*\n", "a/../a//b/.")
	f.Fuzz(func(t *testing.T, text, rel string) {
		r, err := ParseRules("f", []byte(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for i := range r.Directories {
			d := &r.Directories[i]
			want := d.RightsFor(rel)
			for _, other := range []string{"/" + rel, "./" + rel, rel + "/", "x/../" + rel, rel + "/."} {
				if strings.Contains(rel, "..") && other[0] == 'x' {
					continue // it may lead out, and so elsewhere
				}
				if got := d.RightsFor(other); got != want {
					t.Errorf("%q: %q has other rights than %q", text, other, rel)
				}
			}
			for _, s := range d.Subs {
				if got := d.RightsFor(s.Path); len(got.RU)+len(got.WU)+len(got.RG)+len(got.WG) != len(s.RU)+len(s.WU)+len(s.RG)+len(s.WG) {
					t.Errorf("%q: %s has not the rights of its section", text, s.Path)
				}
			}
		}
	})
}
