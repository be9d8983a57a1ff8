package origin

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// Size is a number of bytes, never negative when it was parsed. Its text is a
// whole number with an optional unit: K, M, G, T are powers of 1000, Ki, Mi,
// Gi, Ti powers of 1024; k is K.
type Size int64

// sizeUnits is in the order in which String tries them.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"T", 1e12},
	{"Ti", 1 << 40},
	{"G", 1e9},
	{"Gi", 1 << 30},
	{"M", 1e6},
	{"Mi", 1 << 20},
	{"K", 1e3},
	{"Ki", 1 << 10},
}

// ParseSize reads the text of a Size.
func ParseSize(s string) (Size, error) {
	digits := strings.TrimRight(s, "KkMGTi")
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is too large", s)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as 500000, 50M or 64Mi", s)
	}
	unit := s[len(digits):]
	if unit == "" {
		return Size(n), nil
	}
	if unit[0] == 'k' {
		unit = "K" + unit[1:]
	}
	for _, u := range sizeUnits {
		if u.name != unit {
			continue
		}
		if n > uint64(math.MaxInt64/u.bytes) {
			return 0, fmt.Errorf("%q is too large", s)
		}
		return Size(int64(n) * u.bytes), nil
	}
	return 0, fmt.Errorf("%q has a unit that is none of K, M, G, T, Ki, Mi, Gi, Ti", s)
}

// String returns the shortest text that parses to the same Size.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// Duration is a span of time, never negative when it was parsed. Its text is
// that of time.ParseDuration, or a plain number of seconds.
type Duration time.Duration

// ParseDuration reads the text of a Duration.
func ParseDuration(s string) (Duration, error) {
	text := s
	if isDecimal(s) {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration such as 5s, 500ms, 2m or 30 (seconds)", s)
	case d < 0:
		return 0, fmt.Errorf("%q is negative", s)
	}
	return Duration(d), nil
}

// isDecimal reports whether s is a number without a unit.
func isDecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.-") == ""
}

// String returns text that parses to the same Duration, such as 1m30s.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// Policy is a segstore.Policy that has a text: overwrite, first-wins or
// first-complete-wins.
type Policy segstore.Policy

var policyNames = []string{
	segstore.Overwrite:         "overwrite",
	segstore.FirstWins:         "first-wins",
	segstore.FirstCompleteWins: "first-complete-wins",
}

// String returns the text of the policy.
func (p Policy) String() string { return nameAt(policyNames, int(p)) }

// UnmarshalText sets the policy that the text names.
func (p *Policy) UnmarshalText(text []byte) error {
	i, err := indexOf(policyNames, string(text))
	if err == nil {
		*p = Policy(i)
	}
	return err
}

// CORS says when a response carries Access-Control-Allow-Origin.
type CORS uint8

const (
	// CORSAuto answers requests that carry Origin.
	CORSAuto CORS = iota
	// CORSOn puts the headers on every response.
	CORSOn
	// CORSOff never sends them.
	CORSOff
)

var corsNames = []string{CORSAuto: "auto", CORSOn: "on", CORSOff: "off"}

// String returns auto, on or off.
func (c CORS) String() string { return nameAt(corsNames, int(c)) }

// UnmarshalText reads auto, on or off.
func (c *CORS) UnmarshalText(text []byte) error {
	i, err := indexOf(corsNames, string(text))
	if err == nil {
		*c = CORS(i)
	}
	return err
}

func nameAt(names []string, i int) string {
	if i >= len(names) {
		return "invalid(" + strconv.Itoa(i) + ")"
	}
	return names[i]
}

func indexOf(names []string, s string) (int, error) {
	for i, n := range names {
		if n == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(names, ", "))
}

// Interface guards: the file and the command line read these by their text.
var (
	_ encoding.TextUnmarshaler = (*Size)(nil)
	_ encoding.TextUnmarshaler = (*Duration)(nil)
	_ encoding.TextUnmarshaler = (*Policy)(nil)
	_ encoding.TextUnmarshaler = (*CORS)(nil)
)
