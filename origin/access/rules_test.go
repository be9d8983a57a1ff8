package access

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Rules {
	t.Helper()
	r, err := ParseRules("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is served where, and what has rights of its own: each directory stands as
// its path, an equals sign, its name, and in braces what is below it.
func TestDirectoriesOfRules(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"# c\n; c\n\n":                           "",
		"[/a]":                                   "/a={}",
		" [ /a ] \r\n name = b \r\n":             "/a=b{}",
		"[/a]\nname=/b/c/":                       "/a=b/c{}",
		"[/a]\n[/b]":                             "/a={} /b={}",
		"[/a]\n[/a/b]":                           "/a={b}",
		"[/a/b]\n[/a]":                           "/a={b}", // whatever the order
		"[/a]\n[/a/b]\n[/a/b/c]":                 "/a={b/c,b}",
		"[/a]\n[/ab]":                            "/a={} /ab={}", // below is by parts of paths
		"[/a]\n[/a/b]\nname=b":                   "/a={b} /a/b=b{}",
		"[/a]\nname=x\n[/a/b]\n[/a/b/c]\nname=y": "/a=x{b/c,b} /a/b/c=y{}",
		"[/]\n[/a]":                              "/={a}",
		"[/a/../b/./]":                           "/b={}",
		"[/a]\nfilters=rtspout":                  "",
		"[/a]\nfilters=rtspout,httpout":          "/a={}",
		"[/a]\nfilters=*":                        "/a={}",
		"[/a]\nfilters=all\n[/b]\nfilters=headwater": "/a={} /b={}",
		"[/a]\n[/a/b]\nfilters=dashin":               "/a={}",
		"[/a]\nmcast=":                               "/a={}",
		"[gmem]":                                     "gmem={}",
		"[gmem]\nname=live\n[gmem/x/y]":              "gmem=live{x/y}",
		"[gmem/./x]\n[gmem]":                         "gmem={x}",
		"[/a=b]\nname=c=d":                           "/a=b=c=d{}",
		"[/a b]":                                     "/a b={}",
		"\xef\xbb\xbf[/a]":                           "/a={}",
	} {
		var got []string
		for _, d := range parse(t, text).Directories {
			var subs []string
			for _, s := range d.Subs {
				subs = append(subs, s.Path)
			}
			got = append(got, d.Dir+"="+d.Name+"{"+strings.Join(subs, ",")+"}")
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%q\n got %s\nwant %s", text, g, want)
		}
	}
	wd, err := filepath.Abs("foo")
	if r := parse(t, "[foo]"); err != nil || r.Directories[0].Dir != wd || r.Directories[0].Line != 1 {
		t.Errorf("%+v, %v", r.Directories, err)
	}
}

func TestRuleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[a":                           "f:1: a section is [DIRECTORY]",
		"[]":                           "f:1: a section is [DIRECTORY]",
		"[ ]":                          "f:1: a section is [DIRECTORY]",
		"[a] x":                        "f:1: a section is [DIRECTORY]",
		"ru=x":                         "f:1: stands before the first section; a section is [DIRECTORY]",
		"[/a]\nru":                     `f:2: "ru" is neither key=value nor [DIRECTORY]`,
		"[/a]\nRU=x":                   "f:2: RU: unknown key; there are name, ru, rg, wu, wg, filters, mcast",
		"[/a]\n=x":                     "f:2: : unknown key; there are name, ru, rg, wu, wg, filters, mcast",
		"[/a]\nru=x\nru=y":             "f:3: ru: stands in line 2 already",
		"[/a]\nru=":                    "f:2: ru: has an empty value in it; leave the key out for none",
		"[/a]\nru=a,,b":                "f:2: ru: has an empty value in it; leave the key out for none",
		"[/a]\nfilters=":               "f:2: filters: has an empty value in it; leave the key out for none",
		"[/a]\nwu=a:b":                 `f:2: wu: name "a:b" has a colon or a comma in it`,
		"[/a]\nrg=$ONE":                `f:2: rg: name "$ONE" begins with $, which is for $ALL and $NONE`,
		"[/a]\nru=$NONE\nrg=x":         "f:1: ru and rg: $NONE is nobody; others cannot stand beside it",
		"[/a]\nru=$NONE,x":             "f:1: ru and rg: $NONE is nobody; others cannot stand beside it",
		"[/a]\nfilters=other\nnane=x":  "f:3: nane: unknown key; there are name, ru, rg, wu, wg, filters, mcast",
		"[/a]\nname=..":                `f:2: name: ".." is not a path in URLs, such as bar`,
		"[/a]\nname=a/../b":            `f:2: name: "a/../b" is not a path in URLs, such as bar`,
		"[/a]\nname=a//b":              `f:2: name: "a//b" is not a path in URLs, such as bar`,
		"[/a]\nname=/":                 `f:2: name: "/" is not a path in URLs, such as bar`,
		"[/a]\nname=a?b":               `f:2: name: "a?b" is not a path in URLs, such as bar`,
		`[/a]` + "\n" + `name=a\b`:     `f:2: name: "a\\b" is not a path in URLs, such as bar`,
		"[/a]\n\n[/b/../a]":            "f:3: the directory /a has a section in line 1 already",
		"[/a]\nname=n\n[/b]\nname=n":   `f:3: name: "n" is the name of the section in line 1, too`,
		"[/a]\nname=n\n[/b]\nname=/n/": `f:3: name: "n" is the name of the section in line 1, too`,
		"[gmem/../x]":                  "f:1: [gmem/../x] leads out of gmem",
		"[gmem/x]":                     "f:1: gmem/x is below gmem, but there is no section [gmem], or it has a name",
		"[gmem]\n[gmem/x]\nname=y":     "f:2: gmem/x is below gmem, but there is no section [gmem], or it has a name",
		"[/a]\nru=a\x00":               "f:2: has a control character in it",
		"[/a]\nru=\xff":                "f:2: not UTF-8",
	} {
		_, err := ParseRules("f", []byte(text))
		var fe *FileError
		if err == nil || err.Error() != want || !errors.As(err, &fe) {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
}

// The most specific section decides, alone: nothing of those above it counts.
func TestMostSpecificSection(t *testing.T) {
	r := parse(t, "[/a]\nru=root\nwu=root\n[/a/b]\n[/a/b/c]\nru=c\n[/a/bb]\nrg=g\nwg=$ALL\n[/a/z z/ä]\nru=$NONE\n")
	d := &r.Directories[0]
	for path, want := range map[string]string{
		"":            "[root] [] [root] []",
		"/":           "[root] [] [root] []",
		"x":           "[root] [] [root] []",
		"b":           "[] [] [] []", // public, and not written to
		"b/":          "[] [] [] []",
		"b/x":         "[] [] [] []",
		"b/c":         "[c] [] [] []",
		"b/c/d/e":     "[c] [] [] []",
		"b/cc":        "[] [] [] []",
		"bb/x":        "[] [g] [] [$ALL]",
		"bbb/x":       "[root] [] [root] []",
		"z z/ä/x":     "[$NONE] [] [] []",
		"z z/a":       "[root] [] [root] []",
		"./b//c/../c": "[c] [] [] []",
		"../b/c":      "[c] [] [] []",
		"B/c":         "[root] [] [root] []", // capitals count
		"b%2fc":       "[root] [] [root] []", // it is decoded by who asks
	} {
		rights := d.RightsFor(path)
		if got := fmt.Sprint(rights.RU, rights.RG, rights.WU, rights.WG); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
	if !d.HasWrite() || !parse(t, "[/a]\n[/a/b]\nwu=x").Directories[0].HasWrite() || parse(t, "[/a]\nru=x").Directories[0].HasWrite() {
		t.Error("who says something of writing")
	}
}

// A named section has its rights wherever its files are seen.
func TestNamedSectionBelowAnother(t *testing.T) {
	r := parse(t, "[/a]\n[/a/b]\nname=n\nru=x\n[/a/b/c]\nru=y\n")
	if len(r.Directories) != 2 {
		t.Fatalf("%+v", r.Directories)
	}
	for path, d := range map[string]*Directory{"b/c/f": &r.Directories[0], "c/f": &r.Directories[1]} {
		if got := d.RightsFor(path).RU; len(got) != 1 || got[0] != "y" {
			t.Errorf("%s in %s: %q", path, d.Dir, got)
		}
	}
	if got := r.Directories[1].RightsFor("f").RU[0]; got != "x" {
		t.Error(got)
	}
}
