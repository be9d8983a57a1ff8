package origin

import (
	"errors"
	"strconv"
	"strings"
)

// maxRanges bounds the ranges of one request; more are answered with the whole
// file, as RFC 9110 section 14.2 lets a server do.
const maxRanges = 64

// byteRange is one range as it was asked for (RFC 9110 section 14.1.2).
// A suffix has from -1 and its length in to; an open range has to -1.
type byteRange struct {
	from, to int64 // to is the last byte, inclusive
}

func (b byteRange) suffix() bool { return b.from < 0 }
func (b byteRange) open() bool   { return b.from >= 0 && b.to < 0 }

var (
	errNoRange       = errors.New("no range that is understood")
	errUnsatisfiable = errors.New("range lies beyond the file")
)

// parseRange reads a Range header. What it does not understand (another unit,
// a syntax error, too many ranges) is errNoRange: the header is then ignored.
func parseRange(header string) ([]byteRange, error) {
	unit, list, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return nil, errNoRange
	}
	var ranges []byteRange
	for item := range strings.SplitSeq(list, ",") {
		item = strings.Trim(item, " \t")
		if item == "" {
			continue // RFC 9110 section 5.6.1.2: empty elements are ignored
		}
		item = strings.TrimPrefix(item, "bytes=") // httpout wants it at each
		r, ok := parseOneRange(item)
		if !ok || len(ranges) == maxRanges {
			return nil, errNoRange
		}
		ranges = append(ranges, r)
	}
	if len(ranges) == 0 {
		return nil, errNoRange
	}
	return ranges, nil
}

func parseOneRange(item string) (byteRange, bool) {
	first, last, ok := strings.Cut(item, "-")
	if !ok {
		return byteRange{}, false
	}
	first, last = strings.TrimRight(first, " \t"), strings.TrimLeft(last, " \t")
	from, to := int64(-1), int64(-1)
	if first != "" {
		if from, ok = parseOffset(first); !ok {
			return byteRange{}, false
		}
	}
	if last != "" {
		if to, ok = parseOffset(last); !ok {
			return byteRange{}, false
		}
	}
	switch {
	case from < 0 && to < 0, from >= 0 && to >= 0 && to < from:
		return byteRange{}, false
	}
	return byteRange{from, to}, true
}

// parseOffset reads a number of digits only; one that is too large for a file
// is as good as the largest.
func parseOffset(s string) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return endless, true
	}
	return min(n, endless), true
}

// resolve returns the half-open span of the range in a file of the size, with
// its end clamped; ok is false when no byte of it exists.
func (b byteRange) resolve(size int64) (from, to int64, ok bool) {
	switch {
	case b.suffix():
		from, to = max(0, size-b.to), size
	case b.open():
		from, to = b.from, size
	default:
		from, to = b.from, min(b.to+1, size)
	}
	return from, to, from < to
}

// span is a half-open range of bytes that exist.
type span struct{ from, to int64 }

// resolveAll returns the spans of those ranges that exist, or errUnsatisfiable
// when none does. Ranges that together are more than the file, which only an
// attacker asks for, are errNoRange; so is any range of an empty file, since
// some clients send Range with every request.
func resolveAll(ranges []byteRange, size int64) ([]span, error) {
	var spans []span
	var total int64
	for _, r := range ranges {
		if from, to, ok := r.resolve(size); ok {
			spans = append(spans, span{from, to})
			total += to - from
		}
	}
	switch {
	case size == 0:
		return nil, errNoRange
	case len(spans) == 0:
		return nil, errUnsatisfiable
	case len(spans) > 1 && total > size:
		return nil, errNoRange
	}
	return spans, nil
}
