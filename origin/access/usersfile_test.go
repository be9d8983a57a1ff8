package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// oddNames are names that another reader of YAML might take for something else.
var oddNames = []string{
	"007", "0x1f", "1_000", "1.5", "yes", "true", "null", "~", "-", "- a", "a b", "ä", "日本", "*a", "&a", "!a", "%a", "@a",
	"a#b", "#a", "a: b"[:2] + "b", "'a'", `"a"`, `a\b`, `\`, "{a}", "[a]", "a]", "|", ">", "?", "? a", "<<", "=", "a=b", "users", "a$ALL",
	"a\u200bb", "a\u2028b", "\ufeffa", "a\U000e0001b", ".inf", ".nan", "2001-01-01", "a\u00a0b", strings.Repeat("x", MaxNameBytes),
}

// What is written is read again, whatever the names.
func TestAccountsAreReadAsTheyAreWritten(t *testing.T) {
	a := newAccounts()
	a.cost = cheap
	var names []string
	for _, name := range oddNames {
		if err := CheckName(name); err != nil {
			continue // refused, which is fine, too
		}
		names = append(names, name)
		if err := errors.Join(a.AddUser(name, "pw "+name)); err != nil {
			t.Fatal(err)
		}
		if err := a.AddGroup(name); err != nil && name != Everyone {
			t.Fatal(err)
		}
	}
	if len(names) < len(oddNames)-4 {
		t.Errorf("only %d of %d names can be had", len(names), len(oddNames))
	}
	if err := a.Join("007", names...); err != nil {
		t.Fatal(err)
	}
	b, err := parseAccounts("f", a.format())
	if err != nil {
		t.Fatalf("%v in\n%s", err, a.format())
	}
	same(t, a, b)
	if n := len(b.groups["007"]); n != len(names) {
		t.Errorf("%d of %d members", n, len(names))
	}
}

func same(t *testing.T, a, b *Accounts) {
	t.Helper()
	if x, y := slices.Sorted(maps.Keys(a.users)), slices.Sorted(maps.Keys(b.users)); !slices.Equal(x, y) {
		t.Errorf("users %q, then %q", x, y)
	}
	for name, h := range a.users {
		if other, ok := b.users[name]; ok && other.String() != h.String() {
			t.Errorf("%q has another hash", name)
		}
	}
	if x, y := fmt.Sprintf("%q", a.Groups()), fmt.Sprintf("%q", b.Groups()); x != y {
		t.Errorf("groups %s, then %s", x, y)
	}
}

const someHash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func TestUsersFiles(t *testing.T) {
	for text, want := range map[string]string{ // users; groups, or the error
		"":                         "; ",
		"# nothing yet\n":          "; ",
		"users:\ngroups:\n":        "; ",
		"users: {}\ngroups: {}\n":  "; ",
		"---\nusers: {}\n":         "; ",
		"\xef\xbb\xbfusers: {}\n":  "; ",
		"users: {a: 'HASH'}\n":     "a; ",
		"users:\n  007: HASH\n":    "007; ",
		"users:\n  yes: HASH\n":    "yes; ",
		"users:\n  \"a\": 'HASH'":  "a; ",
		"groups: {g: []}\n":        "; g=",
		"groups: {g: [b, a, b]}\n": "; g=a,b", // of whom is no user
		"users: {a: 'HASH'}\ngroups:\n  g:\n    - a\n  h: [a, 7]\n": "a; g=a h=7,a",

		"user: {}\n":                         "f:1: user: unknown key; there are users and groups",
		"users: [a]\n":                       "f:1: users: must be a mapping (key: value)",
		"users: x\n":                         "f:1: users: must be a mapping (key: value)",
		"- a\n":                              "f:1: the file: must be a mapping (key: value)",
		"users:\n  a: hunter2\n":             "f:2: users.a: is not an argon2id hash; set the password with: headwater user passwd",
		"users:\n  a:\n":                     "f:2: users.a: is not an argon2id hash; set the password with: headwater user passwd",
		"users:\n  a: [HASH]\n":              "f:2: users.a: is not an argon2id hash; set the password with: headwater user passwd",
		"users:\n  \"a:b\": HASH\n":          `f:2: users: name "a:b" has a colon or a comma in it`,
		"users:\n  $ALL: HASH\n":             `f:2: users: name "$ALL" begins with $, which is for $ALL and $NONE`,
		"users:\n  \"\": HASH\n":             "f:2: users: a name must not be empty",
		"groups:\n  users: [a]\n":            "f:2: groups.users: every user is in this group; leave it out",
		"groups:\n  g: a\n":                  "f:2: groups.g: must be a list of users ([] for none)",
		"groups:\n  g:\n":                    "f:2: groups.g: must be a list of users ([] for none)",
		"groups:\n  g:\n    - {a: b}\n":      "f:3: groups.g: a name must not be empty",
		"groups:\n  g: [\"a,b\"]\n":          `f:2: groups.g: name "a,b" has a colon or a comma in it`,
		"users: {}\n---\ngroups: {}\n":       "f:3: a second document; a users file is one",
		"users:\n  7: HASH\n  \"7\": HASH\n": `f:3: mapping key "7" already defined at [2:3]`,
	} {
		a, err := parseAccounts("f", []byte(strings.ReplaceAll(text, "HASH", someHash)))
		var got string
		if err == nil {
			got = summary(a)
		} else {
			got = err.Error()
			if !errors.As(err, new(*FileError)) {
				t.Errorf("%q: %T", text, err)
			}
		}
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func summary(a *Accounts) string {
	var groups []string
	for _, g := range a.Groups() {
		groups = append(groups, g.Name+"="+strings.Join(g.Users, ","))
	}
	return strings.Join(slices.Sorted(maps.Keys(a.users)), ",") + "; " + strings.Join(groups, " ")
}

// The rest of what is wrong in YAML itself is one line that names the file.
func TestBrokenUsersFiles(t *testing.T) {
	for _, text := range []string{
		"users: [broken", "users: {a: b", "users:\n- a\n  b: c\n", "a: b: c", "users: *a\n", "users: !!binary x\n", "\x00", "\xff\xfe",
		"users: {a: 1}\nusers: {b: 2}\n", "<<: {users: {}}\n", "users: &a {x: *a}\n", "? [a]\n: b\n", "%YAML 9\n---\n", "users: \"a\n",
		strings.Repeat("[", 5000), strings.Repeat("{a: ", 5000), strings.Repeat("- ", 5000),
	} {
		_, err := parseAccounts("f", []byte(text))
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// FuzzUsersFile holds that a file is read as it is written again, or refused in
// one line.
func FuzzUsersFile(f *testing.F) {
	for _, text := range []string{
		"users: {a: " + someHash + "}\ngroups: {g: [a, 7]}\n", "users:\n  \"a\\u200b\": '" + someHash + "'\n", "groups:\n  g:\n  - x\n",
		"users: &a\n  b: *a\n", "<<: x", "? a\n: b", "--- |\n x", "\"\\xff\": 1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAccounts("f", []byte(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%q", err)
			}
			return
		}
		b, err := parseAccounts("f", a.format())
		if err != nil {
			t.Fatalf("%v in\n%s", err, a.format())
		}
		same(t, a, b)
	})
}

func TestAccountsEdits(t *testing.T) {
	a := newAccounts()
	a.cost = cheap
	for _, step := range []struct {
		what string
		do   func() error
		err  string
	}{
		{"a user", func() error { return a.AddUser("alice", "pw") }, ""},
		{"another", func() error { return a.AddUser("bob", "pw") }, ""},
		{"one twice", func() error { return a.AddUser("alice", "pw") }, "there is a user alice already"},
		{"a bad name", func() error { return a.AddUser("a:b", "pw") }, `name "a:b" has a colon or a comma in it`},
		{"no password", func() error { return a.AddUser("c", "") }, "the password must not be empty"},
		{"a long one", func() error { return a.AddUser("c", strings.Repeat("x", 1001)) }, "the password is too long; at most 1000 bytes"},
		{"the longest", func() error { return a.SetPassword("bob", strings.Repeat("x", 1000)) }, ""},
		{"a control character", func() error { return a.AddUser("c", "a\x01") }, "the password has a control character in it"},
		{"no text", func() error { return a.AddUser("c", "\xff") }, "the password is not UTF-8"},
		{"of nobody", func() error { return a.SetPassword("c", "pw") }, "there is no user c"},
		{"a group", func() error { return a.AddGroup("g") }, ""},
		{"it twice", func() error { return a.AddGroup("g") }, "there is a group g already"},
		{"that of all", func() error { return a.AddGroup(Everyone) }, "there is a group users already"},
		{"a bad group", func() error { return a.AddGroup("$g") }, `name "$g" begins with $, which is for $ALL and $NONE`},
		{"join", func() error { return a.Join("g", "bob", "alice", "bob") }, ""},
		{"join again", func() error { return a.Join("g", "bob") }, ""},
		{"join nobody", func() error { return a.Join("g", "alice", "c") }, "there is no user c"},
		{"join nothing", func() error { return a.Join("h", "alice") }, "there is no group h"},
		{"join all", func() error { return a.Join(Everyone, "alice") }, "every user is in the group users; it cannot be changed"},
		{"leave", func() error { return a.Leave("g", "alice") }, ""},
		{"leave again", func() error { return a.Leave("g", "bob", "alice") }, "alice is not in the group g"},
		{"leave all", func() error { return a.Leave(Everyone, "alice") }, "every user is in the group users; it cannot be changed"},
		{"remove all", func() error { return a.RemoveGroup(Everyone) }, "every user is in the group users; it cannot be changed"},
		{"remove none", func() error { return a.RemoveGroup("h") }, "there is no group h"},
		{"remove nobody", func() error { return a.RemoveUser("c") }, "there is no user c"},
	} {
		got := ""
		if err := step.do(); err != nil {
			got = err.Error()
		}
		if got != step.err {
			t.Errorf("%s: %q, want %q", step.what, got, step.err)
		}
	}
	if got := summary(a); got != "alice,bob; g=bob" {
		t.Error(got)
	}
	if got := fmt.Sprint(a.Users()); got != "[{alice []} {bob [g]}]" {
		t.Error(got)
	}
	// A user that is gone is in no group: who has the name next must not be.
	if err := errors.Join(a.RemoveUser("bob"), a.AddUser("bob", "other")); err != nil || len(a.groups["g"]) != 0 {
		t.Error(a.groups, err)
	}
	if err := a.RemoveGroup("g"); err != nil || len(a.Groups()) != 0 {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "a b": true, "ä": true, "a.b@c": true, "a$": true, strings.Repeat("x", 100): true, "users": true,
		"": false, " a": false, "a ": false, "\u00a0a": false, "a:b": false, "a,b": false, "a\tb": false, "a\x7f": false, "$a": false,
		"\xff": false, strings.Repeat("x", 101): false, "a\nb": false, "a\u0085b": false,
	} {
		if err := CheckName(name); (err == nil) != ok || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
