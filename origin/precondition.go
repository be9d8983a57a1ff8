package origin

import (
	"net/http"
	"strings"
	"time"
)

// validator is what the preconditions of a request are held against.
type validator struct {
	etag    string // strong and quoted; "" when there is none
	modTime time.Time
}

// evaluate goes through the preconditions in the order of RFC 9110 section
// 13.2.2 for GET and HEAD. It returns 0 (go on), 304 or 412.
func (v validator) evaluate(h http.Header) int {
	if !v.isWanted(h) {
		return http.StatusPreconditionFailed
	}
	if none := joined(h, "If-None-Match"); none != "" {
		if v.matches(none, true) {
			return http.StatusNotModified
		}
		return 0
	}
	if since, ok := httpTime(h.Get("If-Modified-Since")); ok && !v.modTime.IsZero() && !v.after(since) {
		return http.StatusNotModified
	}
	return 0
}

// isWanted says whether the file is the version that If-Match, or else
// If-Unmodified-Since, asks for.
func (v validator) isWanted(h http.Header) bool {
	if match := joined(h, "If-Match"); match != "" {
		return v.matches(match, false)
	}
	since, ok := httpTime(h.Get("If-Unmodified-Since"))
	return !ok || !v.after(since)
}

// allowsChange says whether the preconditions of a PUT, POST or DELETE hold
// over the version before; nil stands for no such file.
func allowsChange(h http.Header, before *validator) bool {
	if before == nil {
		return h.Get("If-Match") == ""
	}
	none := joined(h, "If-None-Match")
	return before.isWanted(h) && (none == "" || !before.matches(none, true))
}

// joined returns a list that may come in several header lines.
func joined(h http.Header, name string) string {
	return strings.Join(h.Values(name), ",")
}

// rangeHolds says whether a Range may be honoured under If-Range (section
// 13.1.5): only for the very version that the client has. A date never proves
// that: two versions of a live file may share a second, and the client would
// put bytes of both together.
func (v validator) rangeHolds(h http.Header) bool {
	cond := h.Get("If-Range")
	if cond == "" {
		return true
	}
	return v.etag != "" && cond == v.etag
}

// matches compares with a list of entity tags: strongly, or weakly for
// If-None-Match (section 8.8.3.2).
func (v validator) matches(list string, weak bool) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for tag := range etags(list) {
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if v.etag != "" && tag == v.etag {
			return true
		}
	}
	return false
}

// after says whether the file changed after t, which has whole seconds.
func (v validator) after(t time.Time) bool {
	return v.modTime.Truncate(time.Second).After(t)
}

func httpTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(s)
	return t, err == nil
}

// etags yields the entity tags of a list. A comma may stand inside a tag, so
// the list is not cut at commas; it ends at the first thing that is no tag.
func etags(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			list = strings.TrimLeft(list, " \t,")
			open := 0
			if strings.HasPrefix(list, "W/") {
				open = 2
			}
			if len(list) <= open || list[open] != '"' {
				return
			}
			end := strings.IndexByte(list[open+1:], '"')
			if end < 0 {
				return
			}
			end += open + 2
			if !yield(list[:end]) {
				return
			}
			list = list[end:]
		}
	}
}
