package listing

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/headwater-origin/headwater/segstore"
)

// Column is what entries are sorted by.
type Column uint8

// The columns.
const (
	Name Column = iota
	Size
	Time
)

// String returns the column as it is in a query.
func (c Column) String() string {
	switch c {
	case Size:
		return "size"
	case Time:
		return "time"
	case Name:
	}
	return "name"
}

// Sort is an order of entries. Directories come first in each.
type Sort struct {
	By   Column
	Desc bool
}

// ParseSort reads sort=name|size|time and order=asc|desc out of a query. What it
// does not know counts as not there; the order is then asc.
func ParseSort(query url.Values) Sort {
	s := Sort{Desc: query.Get("order") == "desc"}
	switch query.Get("sort") {
	case "size":
		s.By = Size
	case "time":
		s.By = Time
	}
	return s
}

// query returns what ParseSort reads.
func (s Sort) query() string {
	order := "asc"
	if s.Desc {
		order = "desc"
	}
	return "?sort=" + s.By.String() + "&order=" + order
}

// sorted returns the entries in order. Those that are alike go by name.
func (s Sort) sorted(entries []segstore.Entry) []segstore.Entry {
	all := slices.Clone(entries)
	slices.SortStableFunc(all, func(a, b segstore.Entry) int {
		if a.Dir != b.Dir {
			return first(a.Dir)
		}
		c := s.compare(&a, &b)
		if s.Desc {
			c = -c
		}
		return cmp.Or(c, compareNames(a.Name, b.Name))
	})
	return all
}

func first(is bool) int {
	if is {
		return -1
	}
	return 1
}

func (s Sort) compare(a, b *segstore.Entry) int {
	switch s.By {
	case Size:
		return cmp.Compare(a.Size, b.Size)
	case Time:
		return modTime(a).Compare(modTime(b))
	case Name:
	}
	return compareNames(a.Name, b.Name)
}

// compareNames orders names like people do: runs of digits by their value, so
// that seg-9 comes before seg-10. Names that differ are never equal.
func compareNames(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		n, m := digits(x), digits(y)
		if n == 0 || m == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		if c := compareNumbers(x[:n], y[:m]); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// digits returns how many digits the string begins with.
func digits(s string) (n int) {
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
