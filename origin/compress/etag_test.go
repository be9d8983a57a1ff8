package compress

import "testing"

func TestETag(t *testing.T) {
	for _, tt := range []struct{ etag, coding, want string }{
		{`"abc"`, Gzip, `"abc-gzip"`},
		{`"1-2"`, Zstd, `"1-2-zstd"`},
		{`W/"abc"`, Deflate, `W/"abc-deflate"`},
		{`""`, Gzip, `"-gzip"`},
		{`"abc"`, "", `"abc"`},
		{"", Gzip, ""},
		{"abc", Gzip, "abc"},
		{`"`, Gzip, `"`},
	} {
		got := ETagFor(tt.etag, tt.coding)
		if got != tt.want {
			t.Errorf("%s by %s: %s, want %s", tt.etag, tt.coding, got, tt.want)
		}
	}
	for etag, want := range map[string][2]string{
		`"abc-gzip"`:    {`"abc"`, Gzip},
		`W/"abc-zstd"`:  {`W/"abc"`, Zstd},
		`"abc"`:         {`"abc"`, ""},
		`"abc-br"`:      {`"abc-br"`, ""},
		`"gzip"`:        {`"gzip"`, ""},
		`"-gzip"`:       {`""`, Gzip},
		`-gzip"`:        {`-gzip"`, ""},
		`W/-gzip"`:      {`W/-gzip"`, ""},
		"*":             {"*", ""},
		"":              {"", ""},
		`"a-gzip-zstd"`: {`"a-gzip"`, Zstd},
	} {
		if base, coding := BaseETag(etag); base != want[0] || coding != want[1] {
			t.Errorf("%s is %s by %s, want %q", etag, base, coding, want)
		}
	}
}

func FuzzETag(f *testing.F) {
	f.Add(`"abc"`)
	f.Add(`W/"a-gzip"`)
	f.Fuzz(func(t *testing.T, etag string) {
		for _, coding := range Codings() {
			base, got := BaseETag(ETagFor(etag, coding))
			if quoted(etag) && (base != etag || got != coding) {
				t.Errorf("%q by %s comes back as %q by %q", etag, coding, base, got)
			}
			if !quoted(etag) && (base != etag || got != "") {
				t.Errorf("%q is no tag, and comes back as %q by %q", etag, base, got)
			}
		}
	})
}
