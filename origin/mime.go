package origin

import (
	"strings"

	"github.com/headwater-origin/headwater/origin/mediatype"
)

const unknownType = mediatype.Unknown

// contentType returns the type a file is served with: the uploader's, else
// that of the extension.
func contentType(name, uploaded string) string { return mediatype.Of(name, uploaded) }

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
