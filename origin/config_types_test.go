package origin

import (
	"math"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Size // -1: an error
	}{
		{"0", 0},
		{"1", 1},
		{"50M", 50_000_000},
		{"64Mi", 64 << 20},
		{"2G", 2_000_000_000},
		{"3K", 3000},
		{"3k", 3000},
		{"3ki", 3072},
		{"3Ki", 3072},
		{"1T", 1e12},
		{"1Ti", 1 << 40},
		{"2Gi", 2 << 30},
		{"0T", 0},
		{"9223372036854775807", math.MaxInt64},
		{"8191Pi", -1},
		{"9223372036854775808", -1},
		{"9223373T", -1},
		{"8388608Ti", -1},
		{"8388607Ti", 8388607 << 40},
		{"", -1},
		{"M", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 M", -1},
		{"1.5G", -1},
		{"1e3", -1},
		{"0x10", -1},
		{"1_000", -1},
		{"1m", -1},
		{"1i", -1},
		{"1MB", -1},
		{"1MM", -1},
	} {
		got, err := ParseSize(tt.text)
		if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestSizeString(t *testing.T) {
	for size, want := range map[Size]string{
		0: "0", 1: "1", 999: "999", 1000: "1K", 1024: "1Ki", 1500: "1500", 50e6: "50M",
		64 << 20: "64Mi", 2e9: "2G", 2 << 30: "2Gi", 1e12: "1T", math.MaxInt64: "9223372036854775807", -1: "-1",
	} {
		if got := size.String(); got != want {
			t.Errorf("Size(%d).String() = %s, want %s", int64(size), got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const bad = -1
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"0", 0},
		{"5s", 5 * time.Second},
		{"500ms", 500 * time.Millisecond},
		{"30", 30 * time.Second},
		{"0.5", 500 * time.Millisecond},
		{"2m", 2 * time.Minute},
		{"1m30s", 90 * time.Second},
		{"1h30", bad},
		{"", bad},
		{".", bad},
		{"1.2.3", bad},
		{"1-2", bad},
		{"-5", bad},
		{"-5s", bad},
		{"5 s", bad},
		{"1d", bad},
		{"inf", bad},
		{"99999999999", bad},
		{"1e3", bad},
	} {
		got, err := ParseDuration(tt.text)
		if (err != nil) != (tt.want == bad) || err == nil && time.Duration(got) != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	for i, name := range policyNames {
		var p Policy
		if err := p.UnmarshalText([]byte(name)); err != nil || int(p) != i || p.String() != name {
			t.Errorf("%s: %d %s %v", name, p, p, err)
		}
	}
	for i, name := range corsNames {
		var c CORS
		if err := c.UnmarshalText([]byte(name)); err != nil || int(c) != i || c.String() != name {
			t.Errorf("%s: %d %s %v", name, c, c, err)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"0", "50M", "64Mi", "9223372036854775807", "8388607Ti", "1MM", "-1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		size, err := ParseSize(s)
		if err != nil {
			return
		}
		if size < 0 {
			t.Fatalf("%q: %d", s, int64(size))
		}
		if again, err := ParseSize(size.String()); err != nil || again != size {
			t.Fatalf("%q is %d, its text %q is %d, %v", s, int64(size), size, int64(again), err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0", "5s", "500ms", "30", "0.5", "1m30s", "1h30", "-1", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q: %d", s, int64(d))
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("%q is %d, its text %q is %d, %v", s, int64(d), d, int64(again), err)
		}
	})
}
