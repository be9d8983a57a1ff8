package origin

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	changed = time.Date(2026, 2, 3, 4, 5, 6, 700_000_000, time.UTC)
	// What a client was told is in whole seconds.
	onTheDot = changed.Truncate(time.Second).Format(http.TimeFormat)
	earlier  = changed.Add(-time.Second).Format(http.TimeFormat)
	later    = changed.Add(time.Second).Format(http.TimeFormat)
)

// headers makes a header of "Name: value" lines; a name may come twice.
func headers(lines ...string) http.Header {
	h := make(http.Header)
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

// TestPreconditions is RFC 9110 sections 13.1 and 13.2.2, for GET and HEAD.
func TestPreconditions(t *testing.T) {
	for _, tc := range []struct {
		lines []string
		want  int
	}{
		{nil, 0},
		// If-Match compares strongly.
		{[]string{`If-Match: "v1"`}, 0},
		{[]string{`If-Match: "v2"`}, 412},
		{[]string{`If-Match: W/"v1"`}, 412},
		{[]string{`If-Match: *`}, 0},
		{[]string{`If-Match: "v0", "v1"`}, 0},
		{[]string{`If-Match: "v0","a,b",	"v1"`}, 0},
		{[]string{`If-Match: "v0,"v1","`}, 412},
		{[]string{`If-Match: v1`}, 412},
		{[]string{`If-Match: "v0"`, `If-Match: "v1"`}, 0},
		// If-None-Match compares weakly.
		{[]string{`If-None-Match: "v1"`}, 304},
		{[]string{`If-None-Match: W/"v1"`}, 304},
		{[]string{`If-None-Match: "v2"`}, 0},
		{[]string{`If-None-Match: *`}, 304},
		{[]string{`If-None-Match: "v0", W/"v1"`}, 304},
		{[]string{`If-None-Match: "a,b", "v1"`}, 304},
		{[]string{`If-None-Match: ,, "v1",`}, 304},
		{[]string{`If-None-Match: "v0"`, `If-None-Match: "v1"`}, 304},
		{[]string{`If-None-Match: v1`}, 0},
		{[]string{`If-None-Match: "V1"`}, 0},
		{[]string{`If-None-Match: "v1`}, 0},
		{[]string{`If-None-Match: w/"v1"`}, 0},
		// The date conditions have whole seconds.
		{[]string{"If-Modified-Since: " + earlier}, 0},
		{[]string{"If-Modified-Since: " + onTheDot}, 304},
		{[]string{"If-Modified-Since: " + later}, 304},
		{[]string{"If-Modified-Since: yesterday"}, 0},
		{[]string{"If-Unmodified-Since: " + earlier}, 412},
		{[]string{"If-Unmodified-Since: " + onTheDot}, 0},
		{[]string{"If-Unmodified-Since: " + later}, 0},
		{[]string{"If-Unmodified-Since: yesterday"}, 0},
		{[]string{"If-Modified-Since: Tuesday, 03-Feb-26 04:05:06 GMT"}, 304}, // RFC 850
		{[]string{"If-Modified-Since: Tue Feb  3 04:05:06 2026"}, 304},        // asctime
		// Tags go before dates, and If-Match before If-None-Match.
		{[]string{`If-Match: "v1"`, "If-Unmodified-Since: " + earlier}, 0},
		{[]string{`If-None-Match: "v2"`, "If-Modified-Since: " + later}, 0},
		{[]string{`If-None-Match: "v1"`, "If-Modified-Since: " + earlier}, 304},
		{[]string{`If-Match: "v2"`, `If-None-Match: "v1"`}, 412},
		{[]string{`If-Match: "v1"`, `If-None-Match: "v1"`}, 304},
		{[]string{"If-Unmodified-Since: " + earlier, `If-None-Match: "v1"`}, 412},
	} {
		v := validator{etag: `"v1"`, modTime: changed}
		if got := v.evaluate(headers(tc.lines...)); got != tc.want {
			t.Errorf("%q: %d, want %d", tc.lines, got, tc.want)
		}
	}
}

// TestPreconditionsOfChanges is the same for PUT, POST and DELETE.
func TestPreconditionsOfChanges(t *testing.T) {
	there := &validator{etag: `"v1"`, modTime: changed}
	for _, tc := range []struct {
		lines  []string
		before *validator // nil: there is no file
		want   bool
	}{
		{nil, there, true},
		{nil, nil, true},
		{[]string{`If-None-Match: *`}, there, false},
		{[]string{`If-None-Match: *`}, nil, true},
		{[]string{`If-None-Match: "v1"`}, there, false},
		{[]string{`If-None-Match: W/"v1"`}, there, false},
		{[]string{`If-None-Match: "v2"`}, there, true},
		{[]string{`If-Match: "v1"`}, there, true},
		{[]string{`If-Match: "v0", "v1"`}, there, true},
		{[]string{`If-Match: W/"v1"`}, there, false},
		{[]string{`If-Match: "v2"`}, there, false},
		{[]string{`If-Match: "v2"`}, nil, false},
		{[]string{`If-Match: *`}, there, true},
		{[]string{`If-Match: *`}, nil, false},
		{[]string{"If-Unmodified-Since: " + earlier}, there, false},
		{[]string{"If-Unmodified-Since: " + onTheDot}, there, true},
		{[]string{"If-Unmodified-Since: " + earlier}, nil, true},
		{[]string{"If-Modified-Since: " + later}, there, true}, // for GET and HEAD only
	} {
		if got := allowsChange(headers(tc.lines...), tc.before); got != tc.want {
			t.Errorf("%q over %v: %v, want %v", tc.lines, tc.before, got, tc.want)
		}
	}
}

func TestIfRange(t *testing.T) {
	for value, want := range map[string]bool{
		"":          true,
		`"v1"`:      true,
		`"v2"`:      false,
		`W/"v1"`:    false, // weak: no proof that the bytes are the same
		`"v0","v1"`: false, // not a list
		"v1":        false,
		"*":         false,
		onTheDot:    false, // two versions may share a second
		earlier:     false,
		later:       false, // not the version the client has, whatever it is
		"nonsense":  false,
	} {
		v := validator{etag: `"v1"`, modTime: changed}
		h := make(http.Header)
		if value != "" {
			h.Set("If-Range", value)
		}
		if got := v.rangeHolds(h); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if (validator{}).rangeHolds(headers(`If-Range: ""`)) {
		t.Error("a file without a tag has none that is empty")
	}
}

func TestAFileWithoutValidatorsMatchesNothing(t *testing.T) {
	for line, want := range map[string]int{
		`If-None-Match: ""`:           0,
		`If-Match: ""`:                412,
		"If-Modified-Since: " + later: 0,
	} {
		if got := (validator{}).evaluate(headers(line)); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}

func TestEntityTags(t *testing.T) {
	for list, want := range map[string][]string{
		``:                        nil,
		`*`:                       nil,
		`"a"`:                     {`"a"`},
		`""`:                      {`""`},
		`W/"a"`:                   {`W/"a"`},
		`"a", W/"b" ,"c"`:         {`"a"`, `W/"b"`, `"c"`},
		`"a,b", "c, d"`:           {`"a,b"`, `"c, d"`},
		`"a", b, "c"`:             {`"a"`},
		`"a", "b`:                 {`"a"`},
		`W/`:                      nil,
		`W/a`:                     nil,
		`W/ "a"`:                  nil,
		"\t , \"a\"":              {`"a"`},
		`"` + "\\" + `", "quote"`: {`"\"`, `"quote"`}, // there is no escape in a tag
	} {
		if got := slices.Collect(etags(list)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
	for range etags(`"a", "b"`) {
		break // the caller may stop
	}
}

func FuzzEntityTags(f *testing.F) {
	for _, seed := range []string{`"a", W/"b,c"`, `*`, `W/`, `"`, `""""`, ", ,\t", `W/W/"a"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		tags := slices.Collect(etags(list))
		rest := list
		for _, tag := range tags {
			opaque := strings.TrimPrefix(tag, "W/")
			if len(opaque) < 2 || opaque[0] != '"' || strings.IndexByte(opaque[1:], '"') != len(opaque)-2 {
				t.Fatalf("%q is no tag", tag)
			}
			_, after, ok := strings.Cut(rest, tag)
			if !ok {
				t.Fatalf("%q is not in what is left, %q", tag, rest)
			}
			rest = after
		}
		if again := slices.Collect(etags(strings.Join(tags, ", "))); !slices.Equal(again, tags) {
			t.Fatalf("%q, then %q", tags, again)
		}
	})
}
