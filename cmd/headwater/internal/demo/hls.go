package demo

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/grafov/m3u8"
)

// hlsVersion is the lowest that allows EXT-X-MAP in any media playlist and is
// what fMP4 players expect.
const hlsVersion = 7

const audioGroup = "audio"

// makeMaster writes the multivariant playlist.
func makeMaster(video, audio *cut) ([]byte, error) {
	videoBits, err := video.bandwidth()
	if err != nil {
		return nil, err
	}
	audioBits, err := audio.bandwidth()
	if err != nil {
		return nil, err
	}
	p := m3u8.NewMasterPlaylist()
	p.SetIndependentSegments(true)
	p.Append(video.playlistName(), nil, m3u8.VariantParams{
		Bandwidth:  uint32(videoBits + audioBits),
		Codecs:     video.codec + "," + audio.codec,
		Resolution: strconv.Itoa(video.width) + "x" + strconv.Itoa(video.height),
		FrameRate:  video.samplesPerSecond(),
		Audio:      audioGroup,
		Alternatives: []*m3u8.Alternative{{
			Type: "AUDIO", GroupId: audioGroup, Name: "Tone", Default: true, Autoselect: "YES", URI: audio.playlistName(),
		}},
	})
	p.SetVersion(hlsVersion)
	return p.Encode().Bytes(), nil
}

// segments are the numbers of the newest complete segments of a track, in
// order and without a gap, at most window of them.
type segments []int64

// add puts n behind the others. One that comes after its successor is left
// out, and a gap starts the list anew, since a playlist can't number across it.
func (s segments) add(n int64) segments {
	switch {
	case len(s) == 0 || n > s[len(s)-1]+1:
		return segments{n}
	case n <= s[len(s)-1]:
		return s
	}
	s = append(s, n)
	return s[max(0, len(s)-window):]
}

// makePlaylist writes the media playlist of a track; s is not empty.
func makePlaylist(u *cut, s segments) ([]byte, error) {
	p, err := m3u8.NewMediaPlaylist(window, window)
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", u.playlistName(), err)
	}
	p.SetVersion(hlsVersion)
	p.SeqNo = uint64(s[0])
	p.SetDefaultMap(u.initName(), 0, 0)
	for _, n := range s {
		err := p.AppendSegment(&m3u8.MediaSegment{
			URI:             u.segmentName(n),
			Duration:        u.begin(n + 1).Sub(u.begin(n)).Seconds(),
			ProgramDateTime: u.begin(n).Round(time.Millisecond),
		})
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", u.playlistName(), err)
		}
	}
	// A segment's duration counts rounded (RFC 8216, 4.3.3.1), so an audio
	// frame more does not raise the target.
	p.TargetDuration = math.Round(float64(u.chunkTicks*u.perSegment) / float64(u.timescale))
	return p.Encode().Bytes(), nil
}
