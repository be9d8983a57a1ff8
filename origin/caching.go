package origin

import (
	"net/http"

	"github.com/headwater-origin/headwater/segstore"
)

// replyKind decides how long a cache may keep a reply.
type replyKind uint8

const (
	kindNone replyKind = iota // no caching header: uploads, preflights
	kindOther
	kindManifest
	kindInit
	kindSegment
	kindGrowing
	kindFuture
	kindEvicted
	kindNever
	kindError
	kindRelay // a stream without end
)

// defaultCaching suits a CDN in front of a live channel. Segments may be kept
// for the time that a restarted encoder is unlikely to use their names again;
// what can change under its name is asked for again after a second or a
// minute. A growing file is kept as the segment it becomes: it is one, unless
// its upload fails, and then the transfer breaks and no cache keeps it.
var defaultCaching = map[replyKind]string{
	kindOther:    "public, max-age=60",
	kindManifest: "public, max-age=1",
	kindInit:     "public, max-age=60",
	kindSegment:  "public, max-age=3600",
	kindGrowing:  "public, max-age=3600",
	kindFuture:   "public, max-age=1",
	kindEvicted:  "public, max-age=60",
	kindNever:    "public, max-age=3",
	kindError:    "no-store",
	kindRelay:    "no-cache, no-store",
}

// caching holds a mount's Cache-Control by kind; "" sends none.
type caching map[replyKind]string

// newCaching lays what the configuration says over the defaults.
func newCaching(c CacheControl) caching {
	said := map[replyKind]string{
		kindOther: c.Other, kindManifest: c.Manifest, kindInit: c.Init, kindSegment: c.Segment,
		kindGrowing: c.Growing, kindFuture: c.Future, kindEvicted: c.Evicted, kindNever: c.Never,
	}
	out := make(caching, len(defaultCaching))
	for kind, value := range defaultCaching {
		if c.All != "" && said[kind] == "" && ofFile(kind) {
			said[kind] = c.All
		}
		switch s := said[kind]; s {
		case "":
			out[kind] = value
		case NoCacheControl:
			out[kind] = ""
		default:
			out[kind] = s
		}
	}
	return out
}

// ofFile says that replies of the kind carry a file.
func ofFile(k replyKind) bool {
	switch k {
	case kindOther, kindManifest, kindInit, kindSegment, kindGrowing:
		return true
	case kindNone, kindFuture, kindEvicted, kindNever, kindError, kindRelay:
	}
	return false
}

func (c caching) set(h http.Header, kind replyKind) {
	if v := c[kind]; v != "" {
		h.Set("Cache-Control", v)
	}
}

// kindOfFile returns the kind of a reply with a complete file.
func kindOfFile(k segstore.Kind) replyKind {
	switch k {
	case segstore.Manifest:
		return kindManifest
	case segstore.Init:
		return kindInit
	case segstore.Segment, segstore.Part:
		return kindSegment
	case segstore.Other:
	}
	return kindOther
}
