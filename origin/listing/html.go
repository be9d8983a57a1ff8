package listing

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/headwater-origin/headwater/segstore"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// htmlPage is what the template is filled with.
type htmlPage struct {
	Path       string
	Parent     bool
	Host       string
	ServerName string
	Truncated  bool
	Columns    []htmlColumn
	Rows       []htmlRow
}

type htmlColumn struct {
	Title string
	Class string
	Link  string // sorts by it
	Sorts string // its aria-sort, or "" when it is not sorted by
	Mark  string // an arrow that says the same
}

type htmlRow struct {
	Text    string // the name as it is shown
	Link    string
	Dir     bool
	Growing bool
	Bytes   int64
	Size    string
	Time    string // for people
	Stamp   string // for machines
}

// WriteHTML writes the page.
func WriteHTML(w io.Writer, p Page, s Sort) error {
	h := htmlPage{
		Path:       shown(p.Path),
		Parent:     p.Parent,
		Host:       shown(p.Host),
		ServerName: shown(p.ServerName),
		Truncated:  p.Truncated,
		Columns:    s.columns(),
	}
	for _, e := range s.sorted(p.Entries) {
		h.Rows = append(h.Rows, row(&e))
	}
	if err := page.Execute(w, h); err != nil {
		return fmt.Errorf("write listing of %s: %w", p.Path, err)
	}
	return nil
}

// columns returns the heads of the table. The one that is sorted by turns the
// order round; size and time begin with the largest and the newest.
func (s Sort) columns() []htmlColumn {
	all := []htmlColumn{
		{Title: "Name", Class: "name"},
		{Title: "Size", Class: "size"},
		{Title: "Last modified (UTC)", Class: "time"},
	}
	for i := range all {
		by := Column(i)
		all[i].Link = Sort{By: by, Desc: by != Name}.query()
		switch {
		case by != s.By:
		case s.Desc:
			all[i].Sorts, all[i].Mark, all[i].Link = "descending", "▼", Sort{By: by}.query()
		default:
			all[i].Sorts, all[i].Mark, all[i].Link = "ascending", "▲", Sort{By: by, Desc: true}.query()
		}
	}
	return all
}

func row(e *segstore.Entry) htmlRow {
	r := htmlRow{Text: shown(e.Name), Link: link(e), Dir: e.Dir, Growing: e.Growing, Bytes: e.Size, Size: readable(e.Size)}
	if !e.ModTime.IsZero() {
		at := e.ModTime.UTC()
		r.Time, r.Stamp = at.Format(time.DateTime), at.Format(time.RFC3339)
	}
	if e.Dir {
		r.Text += "/"
	}
	return r
}

// link returns where the entry is, seen from the directory. The dot keeps a
// name like javascript:x from being read as a scheme.
func link(e *segstore.Entry) string {
	l := "./" + url.PathEscape(e.Name)
	if e.Dir {
		l += "/"
	}
	return l
}

// shown returns a name without what cannot be shown, or would change how what
// stands around it is shown.
func shown(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Noncharacter_Code_Point) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
}

// readable returns a size with a decimal unit and two digits at least.
func readable(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, unit := float64(n)/1000, 0
	for f >= 999.5 {
		f, unit = f/1000, unit+1
	}
	digits := 0
	if f < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(f, 'f', digits, 64) + " " + "kMGTPE"[unit:unit+1] + "B"
}
