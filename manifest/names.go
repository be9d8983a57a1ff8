package manifest

import (
	"net/url"
	"path"
	"strings"
)

// resolve returns the name that references lead to, each relative to the one
// before and the first to a manifest's name; or "" for what is not on the same
// server or climbs out.
func resolve(name string, refs ...string) string {
	u := &url.URL{Path: "/" + name}
	for _, ref := range refs {
		r, err := url.Parse(strings.TrimSpace(ref))
		if err != nil || r.IsAbs() || r.Host != "" || strings.HasPrefix(r.Path, "/") || climbs(u.Path, r.Path) {
			return ""
		}
		u = u.ResolveReference(r)
	}
	clean := strings.TrimPrefix(path.Clean(u.Path), "/")
	if strings.ContainsRune(clean, 0) || strings.HasSuffix(u.Path, "/") {
		return ""
	}
	return clean
}

// climbs says that a relative path leads above the root.
func climbs(base, ref string) bool {
	depth := strings.Count(path.Clean(base), "/") - 1
	for part := range strings.SplitSeq(ref, "/") {
		switch part {
		case "", ".":
		case "..":
			depth--
			if depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}
