package manifest

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Window is how much of a track its manifest promises to keep.
type Window struct {
	// Name is that of one of the track's segments; it need not exist.
	Name string
	// Segments is how many must be kept, at least 1.
	Segments int
}

// mostSegments bounds a believed window.
const mostSegments = 1 << 20

// ErrFormat is the error for a name that is neither that of an MPD nor of a
// playlist.
var ErrFormat = errors.New("neither an MPD nor a playlist")

// Windows returns the windows that a live manifest promises; name is its own. A
// manifest of a stream that has ended, or that keeps everything, promises none,
// and so does a multivariant playlist.
func Windows(name string, data []byte) (list []Window, err error) {
	defer func() {
		if p := recover(); p != nil { // the libraries were not made for what uploads may hold
			list, err = nil, fmt.Errorf("read %s: %v", name, p)
		}
	}()
	switch strings.ToLower(path.Ext(name)) {
	case ".mpd":
		return mpdWindows(name, data)
	case ".m3u8", ".m3u":
		return playlistWindows(name, data)
	}
	return nil, fmt.Errorf("read %s: %w", name, ErrFormat)
}

// add appends a window unless its name is not one of this server.
func add(list []Window, name string, segments float64) []Window {
	if name == "" || !(segments >= 1) {
		return list
	}
	return append(list, Window{name, int(min(segments, mostSegments))})
}
