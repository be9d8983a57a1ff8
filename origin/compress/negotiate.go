package compress

import (
	"slices"
	"strconv"
	"strings"
)

// The codings, as they are in Content-Encoding.
const (
	Zstd    = "zstd"
	Gzip    = "gzip"
	Deflate = "deflate"
)

// identity is the name of no coding at all.
const identity = "identity"

// preferred are the codings, the best first.
var preferred = []string{Zstd, Gzip, Deflate}

// Codings returns all codings, the best first.
func Codings() []string { return slices.Clone(preferred) }

// Negotiate returns which of the codings offered a request is answered with, or
// "" for none, by its Accept-Encoding (RFC 9110 section 12.5.3; several lines
// are joined by commas). Of codings with the same weight it takes zstd before
// gzip before deflate. A client that refuses a file without coding, and names
// none that is offered, gets gzip rather than a 406, unless it refuses that.
func Negotiate(acceptEncoding string, offered []string) (coding string) {
	w := parseWeights(acceptEncoding)
	best := 0.0
	for _, c := range preferred {
		if q := w.of(c); q > best && slices.Contains(offered, c) {
			coding, best = c, q
		}
	}
	plain, listed := w[identity]
	switch {
	case plain > best:
		return ""
	case coding == "" && listed && plain == 0:
		return w.unrefused(offered)
	}
	return coding
}

// weights are the weights that a client gives to codings.
type weights map[string]float64

// mostWeights bounds how many codings of a header are taken into account.
const mostWeights = 32

func parseWeights(header string) weights {
	w := make(weights)
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" { // RFC 9110 section 8.4.1.3
			name = Gzip
		}
		if _, known := w[name]; name != "" && !known && len(w) < mostWeights {
			w[name] = quality(params)
		}
	}
	return w
}

// quality returns the weight among the parameters of a coding: 1 if there is
// none, 0 if it is malformed.
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

// of returns the weight of a coding, 0 for one that is not acceptable.
func (w weights) of(coding string) float64 {
	if q, ok := w[coding]; ok {
		return q
	}
	return w["*"]
}

// unrefused returns a coding that the client does not refuse by name, or "".
func (w weights) unrefused(offered []string) string {
	if _, all := w["*"]; all {
		return ""
	}
	for _, c := range []string{Gzip, Deflate, Zstd} { // the one that most can read first
		if _, refused := w[c]; !refused && slices.Contains(offered, c) {
			return c
		}
	}
	return ""
}

// Compressible reports whether files of the Content-Type are text that gets
// smaller: text, manifests, JSON, XML and scripts. Streams of events are not,
// since each is to be sent at once.
func Compressible(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	switch t {
	case "text/event-stream":
		return false
	case "application/json", "application/javascript", "application/x-javascript", "application/ecmascript", "application/xml",
		"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl":
		return true
	}
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+xml") || strings.HasSuffix(t, "+json")
}
