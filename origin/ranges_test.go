package origin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// rangesOf tells what is sent for a Range header: the spans as first-last
// bytes, "whole" when the header is ignored, or "416".
func rangesOf(header string, size int64) string {
	ranges, err := parseRange(header)
	var spans []span
	if err == nil {
		spans, err = resolveAll(ranges, size)
	}
	switch {
	case errors.Is(err, errUnsatisfiable):
		return "416"
	case errors.Is(err, errNoRange):
		return "whole"
	case err != nil:
		return err.Error()
	}
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = fmt.Sprintf("%d-%d", s.from, s.to-1)
	}
	return strings.Join(texts, ",")
}

// TestRanges is RFC 9110 section 14.1.2 and 14.2.
func TestRanges(t *testing.T) {
	for _, tc := range []struct {
		header string
		size   int64
		want   string
	}{
		// One range.
		{"bytes=0-4", 10, "0-4"},
		{"bytes=0-0", 10, "0-0"},
		{"bytes=9-9", 10, "9-9"},
		{"bytes=0-9", 10, "0-9"},
		{"bytes=00-04", 10, "0-4"},
		{"BYTES=0-4", 10, "0-4"},
		// Open, suffix and clamped.
		{"bytes=0-", 10, "0-9"},
		{"bytes=9-", 10, "9-9"},
		{"bytes=-3", 10, "7-9"},
		{"bytes=-10", 10, "0-9"},
		{"bytes=-99", 10, "0-9"},
		{"bytes=3-10", 10, "3-9"},
		{"bytes=3-9007199254740991", 10, "3-9"},
		{"bytes=3-99999999999999999999999", 10, "3-9"},
		{"bytes=-99999999999999999999999", 10, "0-9"},
		// Beyond the file.
		{"bytes=10-", 10, "416"},
		{"bytes=10-12", 10, "416"},
		{"bytes=-0", 10, "416"},
		{"bytes=99999999999999999999999-", 10, "416"},
		{"bytes=10-12,-0", 10, "416"},
		// Several.
		{"bytes=0-1,4-5", 10, "0-1,4-5"},
		{"bytes=0-1, 4-5\t,\t7-", 10, "0-1,4-5,7-9"},
		{"bytes=,0-1,,4-5,", 10, "0-1,4-5"},
		{"bytes=5-,0-4", 10, "5-9,0-4"},
		{"bytes=-2,0-1", 10, "8-9,0-1"},
		{"bytes=0-1,20-30", 10, "0-1"},
		{"bytes=0-1,0-1", 10, "0-1,0-1"},
		{"bytes=" + strings.Repeat("0-0,", maxRanges), 100, strings.TrimSuffix(strings.Repeat("0-0,", maxRanges), ",")},
		// Together more than the file, or too many.
		{"bytes=0-,0-", 10, "whole"},
		{"bytes=0-8,8-9,0-0", 10, "whole"},
		{"bytes=" + strings.Repeat("0-0,", maxRanges+1), 100, "whole"},
		// Not understood: ignored.
		{"", 10, "whole"},
		{"bytes", 10, "whole"},
		{"bytes=", 10, "whole"},
		{"bytes=,", 10, "whole"},
		{"bytes=-", 10, "whole"},
		{"bytes=5", 10, "whole"},
		{"bytes=5-3", 10, "whole"},
		{"bytes=0-1,5-3", 10, "whole"},
		{"bytes=a-b", 10, "whole"},
		{"bytes=0x1-2", 10, "whole"},
		{"bytes=+1-2", 10, "whole"},
		{"bytes=1-+2", 10, "whole"},
		{"bytes=1--2", 10, "whole"},
		{"bytes=--1", 10, "whole"},
		{"bytes=1-2-3", 10, "whole"},
		{"bytes=0-1;4-5", 10, "whole"},
		{"bytes=1.0-2", 10, "whole"},
		{"bytes=١-٢", 10, "whole"},
		{"bytes:0-1", 10, "whole"},
		{"lines=0-1", 10, "whole"},
		{"lines=0-1,bytes=0-1", 10, "whole"},
		// An empty file has no byte to send with 206, and is no client's fault.
		{"bytes=0-", 0, "whole"},
		{"bytes=0-0", 0, "whole"},
		{"bytes=-5", 0, "whole"},
	} {
		if got := rangesOf(tc.header, tc.size); got != tc.want {
			t.Errorf("%q of %d bytes: %s, want %s", tc.header, tc.size, got, tc.want)
		}
	}
}

func FuzzRanges(f *testing.F) {
	for _, seed := range []string{
		"bytes=0-", "bytes=-1", "bytes=3-9007199254740991", "bytes=0-1,4-5,-3", "bytes=99999999999999999999-",
		"bytes=9223372036854775807-9223372036854775807", "bytes=-9223372036854775808", "lines=1-2", "bytes= 1 - 2 ,",
	} {
		f.Add(seed, int64(10))
		f.Add(seed, int64(0))
		f.Add(seed, endless)
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		size = min(max(size, 0), endless)
		ranges, err := parseRange(header)
		if err != nil {
			return
		}
		if len(ranges) == 0 || len(ranges) > maxRanges {
			t.Fatalf("%d ranges and no error", len(ranges))
		}
		for _, r := range ranges {
			if r.suffix() && r.to < 0 || !r.suffix() && !r.open() && r.to < r.from || r.from > endless || r.to > endless {
				t.Fatalf("range %+v of %q", r, header)
			}
		}
		checkSpans(t, ranges, size)
	})
}

// checkSpans holds that the spans are in the file, and not more than it.
func checkSpans(t *testing.T, ranges []byteRange, size int64) {
	t.Helper()
	spans, err := resolveAll(ranges, size)
	if err != nil {
		return
	}
	var total int64
	for _, s := range spans {
		if s.from < 0 || s.from >= s.to || s.to > size {
			t.Fatalf("span %+v of %d bytes", s, size)
		}
		total += s.to - s.from
	}
	if len(spans) == 0 || total > size {
		t.Fatalf("%d spans with %d bytes of %d", len(spans), total, size)
	}
}
