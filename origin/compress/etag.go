package compress

import "strings"

// ETagFor returns the entity tag of a file under a coding, from that of the
// file: "abc" becomes "abc-gzip" (RFC 9110 section 8.8.3.3). It is as strong as
// the file's, since the coding of a version is made once and the same bytes
// come out if it is made again. Without a coding, or a tag, it changes nothing.
func ETagFor(etag, coding string) string {
	if coding == "" || !quoted(etag) {
		return etag
	}
	return etag[:len(etag)-1] + "-" + coding + `"`
}

// BaseETag takes apart what ETagFor returned. The tag of a file without a coding
// comes back as it is, with "".
func BaseETag(etag string) (base, coding string) {
	if !quoted(etag) {
		return etag, ""
	}
	for _, c := range preferred {
		if base, ok := strings.CutSuffix(etag, "-"+c+`"`); ok && quoted(base+`"`) {
			return base + `"`, c
		}
	}
	return etag, ""
}

// quoted reports whether it is an entity tag, weak or strong.
func quoted(etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	return len(etag) >= 2 && etag[0] == '"' && etag[len(etag)-1] == '"'
}
