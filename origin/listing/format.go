package listing

import (
	"net/url"
	"strconv"
	"strings"
)

// Format is how a listing is rendered.
type Format uint8

// The formats.
const (
	HTML Format = iota
	JSON
)

// Wants returns the format that a request asks for: by format=json or
// format=html in its query, or else by its Accept header (RFC 9110 section
// 12.5.1). It is HTML unless the client prefers JSON.
func Wants(accept string, query url.Values) Format {
	switch strings.ToLower(query.Get("format")) {
	case "json":
		return JSON
	case "html":
		return HTML
	}
	if prefers(accept, "application/json", "text/html") {
		return JSON
	}
	return HTML
}

// prefers reports whether the header gives the first type more weight than the
// other, or the same but names it more precisely.
func prefers(accept, first, other string) bool {
	weight, precision := weigh(accept, first)
	otherWeight, otherPrecision := weigh(accept, other)
	if weight == otherWeight {
		return weight > 0 && precision > otherPrecision
	}
	return weight > otherWeight
}

// weigh returns the weight of the most precise range that the type falls in,
// and how precise that is: 0 when there is none, 1 to 3 else.
func weigh(accept, mediaType string) (weight float64, precision int) {
	major, _, _ := strings.Cut(mediaType, "/")
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		p := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case mediaType:
			p = 3
		case major + "/*":
			p = 2
		case "*/*":
			p = 1
		}
		if p > precision {
			weight, precision = quality(params), p
		}
	}
	return weight, precision
}

// quality returns the weight among the parameters of a range.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		if q, err := strconv.ParseFloat(value, 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
		return 0
	}
	return 1
}
