package listing

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/segstore"
)

func names(entries []segstore.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return strings.Join(all, " ")
}

func TestSort(t *testing.T) {
	early, late := at("2026-11-23T11:00:00Z"), at("2026-11-23T12:00:00Z")
	entries := []segstore.Entry{
		{Name: "f10", Size: 5, ModTime: early},
		{Name: "d2", Dir: true, ModTime: early},
		{Name: "f9", Size: 5, ModTime: late},
		{Name: "f1", Size: 7, Growing: true},
		{Name: "d10", Dir: true, ModTime: late},
		{Name: "f2", Size: 1, ModTime: early},
	}
	before := slices.Clone(entries)
	for query, want := range map[string]string{
		"":                           "d2 d10 f1 f2 f9 f10",
		"sort=name&order=asc":        "d2 d10 f1 f2 f9 f10",
		"sort=name&order=desc":       "d10 d2 f10 f9 f2 f1",
		"sort=size&order=asc":        "d2 d10 f2 f9 f10 f1",
		"sort=size&order=desc":       "d2 d10 f1 f9 f10 f2",
		"sort=time&order=asc":        "d2 d10 f2 f10 f9 f1",
		"sort=time&order=desc":       "d10 d2 f1 f9 f2 f10",
		"sort=colour&order=sideways": "d2 d10 f1 f2 f9 f10",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(ParseSort(q).sorted(entries)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if !slices.Equal(before, entries) {
		t.Error("the caller's entries were sorted")
	}
}

func TestSortLinks(t *testing.T) {
	for _, s := range []Sort{{}, {Desc: true}, {By: Size}, {By: Time, Desc: true}} {
		for i, c := range s.columns() {
			q, err := url.ParseQuery(strings.TrimPrefix(c.Link, "?"))
			if err != nil {
				t.Fatal(err)
			}
			got, by := ParseSort(q), Column(i)
			want := Sort{By: by, Desc: by != Name}
			if by == s.By {
				want.Desc = !s.Desc
			}
			if got != want || (c.Sorts != "") != (by == s.By) {
				t.Errorf("sorted by %+v, %s leads to %+v, want %+v; aria-sort %q", s, c.Title, got, want, c.Sorts)
			}
		}
	}
}

func FuzzCompareNames(f *testing.F) {
	for _, s := range [][3]string{{"a1", "a01", "a2"}, {"a10", "a9", "b"}, {"", "0", "00"}, {"1a", "1b1", "10"}, {"99999999999999999999999", "1", "x"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if compareNames(a, b) != -compareNames(b, a) || (compareNames(a, b) == 0) != (a == b) {
			t.Errorf("%q to %q: %d, and back %d", a, b, compareNames(a, b), compareNames(b, a))
		}
		if compareNames(a, b) < 0 && compareNames(b, c) < 0 && compareNames(a, c) >= 0 {
			t.Errorf("%q before %q before %q before the first", a, b, c)
		}
	})
}
