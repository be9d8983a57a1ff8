// Package listing renders what lies in a directory, for people as a page of
// HTML and for programs as JSON. No name of a file, whatever its bytes, gets out
// of its place in the page or leads anywhere but to that file: names are escaped
// for where they stand, and links are relative to the directory (./name). The
// page needs no script and nothing else from a server.
package listing

import (
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// What a reply with a listing has in its header, beside Vary: Accept.
const (
	HTMLType = "text/html; charset=utf-8"
	JSONType = "application/json"
	// Policy is a Content-Security-Policy that the page can do with.
	Policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)

// Page is a directory as it is shown. Its links are right only below a URL that
// ends with a slash.
type Page struct {
	// Path is the directory's path in the URL, not escaped.
	Path string
	// Parent says that the directory above may be asked for.
	Parent bool
	// Host and ServerName stand at the foot of the page, if set.
	Host, ServerName string
	// Entries are what is there, in any order. They are not changed.
	Entries []segstore.Entry
	// Truncated says that there is more than Entries.
	Truncated bool
}

// modTime is the time that an entry is sorted by: what grows is newer than all
// that does not.
func modTime(e *segstore.Entry) time.Time {
	if e.Growing {
		return time.Unix(1<<40, 0)
	}
	return e.ModTime
}
