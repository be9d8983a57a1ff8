package manifest

import (
	"bytes"
	"fmt"

	"github.com/grafov/m3u8"
)

// playlistWindows reads the window of a live media playlist. What has left it
// must be there for as long again as the playlist lasts (RFC 8216, 6.2.2), so
// that twice as many segments are to be kept, and one.
func playlistWindows(name string, data []byte) ([]Window, error) {
	list, kind, err := m3u8.DecodeFrom(bytes.NewReader(data), false)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	p, ok := list.(*m3u8.MediaPlaylist)
	if !ok || kind != m3u8.MEDIA || p.Closed || p.MediaType != 0 {
		return nil, nil
	}
	segments := p.GetAllSegments()
	if len(segments) == 0 {
		return nil, nil
	}
	last := segments[len(segments)-1]
	return add(nil, resolve(name, last.URI), float64(2*len(segments)+1)), nil
}
