package listing

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/headwater-origin/headwater/segstore"
)

// element is a start tag of a page, with the text up to the next tag.
type element struct {
	tag  xml.StartElement
	text string
}

func (e *element) attr(name string) string {
	for _, a := range e.tag.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// elements takes a page apart. The pages are XML as well but for the doctype.
func elements(t *testing.T, page string) (all []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	for open := false; ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, page)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			all = append(all, element{tag: tok.Copy()})
			open = true
		case xml.EndElement:
			open = false
		case xml.CharData:
			if open {
				all[len(all)-1].text += string(tok)
			}
		case xml.Comment, xml.ProcInst:
			t.Fatalf("%v in:\n%s", tok, page)
		}
	}
}

// shape is what must not depend on any name.
func shape(all []element) (s []string) {
	for _, e := range all {
		part := e.tag.Name.Local
		for _, a := range e.tag.Attr {
			part += " " + a.Name.Local
		}
		s = append(s, part)
	}
	return s
}

func render(t *testing.T, name string, dir bool) []element {
	t.Helper()
	var out strings.Builder
	p := Page{Path: "/" + name + "/", Host: name, ServerName: name, Entries: []segstore.Entry{{Name: name, Dir: dir, Growing: !dir}}}
	if err := WriteHTML(&out, p, Sort{}); err != nil {
		t.Fatal(err)
	}
	return elements(t, out.String())
}

// FuzzHTML checks that no name changes more of the page than its own place, that
// its link leads to it, and that it is shown as it is.
func FuzzHTML(f *testing.F) {
	for _, name := range []string{
		"a.m4s", "<script>", `"><img src=x onerror=y>`, "'", "a b#c?d%e%20&amp;", "javascript:alert(1)", "//evil.example", "é日\xff\x00",
		"\u202egnp.exe", "{{.}}", "-->", "]]>", "</title>", "a\nb", "\\", "`", "+", "..", "a;b,c=d@e:f!$*()", "\uffff",
	} {
		f.Add(name, true)
		f.Add(name, false)
	}
	base, err := url.Parse("http://origin.example/live/dir/")
	if err != nil {
		f.Fatal(err)
	}
	plain := map[bool][]string{}
	f.Fuzz(func(t *testing.T, name string, dir bool) {
		if name == "" || name == "." || name == ".." {
			return // no file has it
		}
		if plain[dir] == nil {
			plain[dir] = shape(render(t, "plain", dir))
		}
		all := render(t, name, dir)
		if got := shape(all); !slices.Equal(got, plain[dir]) {
			t.Fatalf("%q makes a page of\n%q, others\n%q", name, got, plain[dir])
		}
		checkLink(t, base, all, name, dir)
	})
}

func checkLink(t *testing.T, base *url.URL, all []element, name string, dir bool) {
	t.Helper()
	i := slices.IndexFunc(all, func(e element) bool { return strings.HasPrefix(e.attr("href"), "./") })
	if i < 0 {
		t.Fatalf("no link for %q", name)
	}
	to, err := base.Parse(all[i].attr("href"))
	if err != nil {
		t.Fatal(err)
	}
	want, text := base.Path+name, all[i+1].text
	if dir {
		want += "/"
		text = strings.TrimSuffix(text, "/")
	}
	if to.Path != want || to.Host != base.Host || to.RawQuery != "" || to.Fragment != "" {
		t.Errorf("the link of %q leads to %q, path %q", name, to, to.Path)
	}
	if text != shown(name) || utf8.ValidString(name) && !strings.ContainsFunc(name, odd) && text != name {
		t.Errorf("%q is shown as %q", name, text)
	}
	if strings.ContainsFunc(text, odd) {
		t.Errorf("%q is shown with what changes the text around it: %q", name, text)
	}
}

func odd(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Noncharacter_Code_Point)
}

func TestPageNeedsNothingElse(t *testing.T) {
	for _, e := range render(t, "plain", true) {
		switch e.tag.Name.Local {
		case "script", "link", "img", "iframe", "form", "base":
			t.Errorf("the page has a %s", e.tag.Name.Local)
		}
		if strings.Contains(e.attr("href"), ":") || e.attr("src") != "" {
			t.Errorf("the page refers to %v", e.tag.Attr)
		}
	}
}
