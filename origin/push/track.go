package push

import (
	"path"
	"strings"

	"github.com/headwater-origin/headwater/segstore"
)

// numberMark stands in the name of a track where the number stands in a file's.
const numberMark = "$Number$"

// segmentOf returns the track of a segment or part, and the segment's number as
// it is written. Parts of one segment have the same.
func segmentOf(name string, k segstore.Kind) (track, number string) {
	track, ok := segstore.TrackOf(name)
	if !ok {
		return "", ""
	}
	if dir, base := path.Split(track); k == segstore.Part {
		// fileSequence12.4.m4s, taken for segment 4 of fileSequence12.
		if whole := strings.Replace(base, "."+numberMark, "", 1); whole != base {
			if t, n := segmentOf(dir+whole, segstore.Segment); t != "" {
				return t, n
			}
		}
	}
	rest := name[strings.LastIndex(track, numberMark):]
	number = rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	if number == "" { // the name has the mark in it
		return "", ""
	}
	return track, number
}

// track is what is under way of one track. dest.mu guards it.
type track struct {
	seq  int64 // of the newest segment
	jobs map[*job]struct{}
}

// enter gives the job its place. A number that is under way keeps its own.
func (t *track) enter(j *job) {
	for other := range t.jobs {
		if other.number == j.number {
			j.seq = other.seq
		}
	}
	if j.seq == 0 {
		t.seq++
		j.seq = t.seq
	}
	t.jobs[j] = struct{}{}
}
