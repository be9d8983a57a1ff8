package demo

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Eyevinn/dash-mpd/mpd"
	"github.com/grafov/m3u8"
)

// number returns the segment number in a path, or -1.
func number(path string) int64 {
	_, after, _ := strings.Cut(strings.TrimSuffix(path, ".m4s"), "-")
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// checkMPD does what a player does with the MPD that server has: which
// segments may be asked for now? They must all be there, and no later one.
func checkMPD(t *testing.T, o Options, server *origin) {
	t.Helper()
	files := server.under("/demo/")
	m, err := mpd.MPDFromBytes(files["/demo/"+MPDName].data)
	if err != nil {
		t.Error(err)
		return
	}
	m.SetParents()
	start, err := m.AvailabilityStartTime.ConvertToSeconds()
	if err != nil || m.GetType() != "dynamic" || *m.Periods[0].Start != 0 {
		t.Errorf("type %s, period at %v: %v", m.GetType(), m.Periods[0].Start, err)
	}
	// A moment ago, for a chunk that is due right now may be under way.
	now := float64(time.Now().Add(-time.Millisecond).UnixMilli())/1000 - start
	for _, set := range m.Periods[0].AdaptationSets {
		rep, tmpl := set.Representations[0], set.SegmentTemplate
		seconds := float64(*tmpl.Duration) / float64(tmpl.GetTimescale())
		if *tmpl.AvailabilityTimeComplete || float64(tmpl.AvailabilityTimeOffset) != (o.SegmentDuration-o.ChunkDuration).Seconds() {
			t.Errorf("availability time offset %v", tmpl.AvailabilityTimeOffset)
		}
		if init, _ := rep.GetInit(); files["/demo/"+init] == nil {
			t.Errorf("%s is not there", init)
		}
		media, _ := rep.GetMedia()
		newest := int64((now+float64(tmpl.AvailabilityTimeOffset))/seconds) - 1 + int64(*tmpl.StartNumber)
		oldest := int64((now-m.TimeShiftBufferDepth.Seconds())/seconds) + int64(*tmpl.StartNumber)
		for n := oldest; n <= newest; n++ {
			name := strings.ReplaceAll(media, "$Number$", strconv.FormatInt(n, 10))
			if u := files["/demo/"+name]; u == nil || !u.began.Before(time.Now()) {
				t.Errorf("%s is available by the MPD and not there", name)
			}
		}
		name := strings.ReplaceAll(media, "$Number$", strconv.FormatInt(newest+2, 10))
		if files["/demo/"+name] != nil {
			t.Errorf("%s is there long before the MPD says so", name)
		}
	}
}

// checkPlaylists wants the newest complete segments in the playlists, their
// number as sequence number and their time as date.
func checkPlaylists(t *testing.T, server *origin, first int64) {
	t.Helper()
	files := server.under("/demo/")
	for _, name := range []string{"video", "audio"} {
		file := files["/demo/"+name+".m3u8"]
		if !file.ended {
			continue // being replaced right now
		}
		list, kind, err := m3u8.DecodeFrom(bytes.NewReader(file.data), true)
		if err != nil || kind != m3u8.MEDIA {
			t.Errorf("%s.m3u8: %v\n%s", name, err, file.data)
			return
		}
		p := list.(*m3u8.MediaPlaylist)
		if p.Map.URI != "init-"+name+".mp4" || p.Version() != 7 || p.Closed || p.Count() != window {
			t.Errorf("%s.m3u8:\n%s", name, file.data)
		}
		if !bytes.Contains(file.data, []byte("\n#EXT-X-TARGETDURATION:2\n")) { // the decoder makes its own
			t.Errorf("%s.m3u8: another target duration than 2 in\n%s", name, file.data)
		}
		for i, s := range p.Segments[:p.Count()] {
			n := int64(p.SeqNo) + int64(i)
			if u := files["/demo/"+s.URI]; number(s.URI) != n || n < first || !u.ended || u.err != nil {
				t.Errorf("%s.m3u8 lists %s as number %d", name, s.URI, n)
			}
			begin := Anchor.Add(time.Duration(n) * 2 * time.Second)
			if late := s.ProgramDateTime.Sub(begin); late < 0 || late > 22*time.Millisecond {
				t.Errorf("%s begins %v after its time", s.URI, late)
			}
		}
	}
}

func TestMaster(t *testing.T) {
	cuts := cutsFrom(t, defaults(t), 0)
	raw, err := makeMaster(cuts[0], cuts[1])
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := m3u8.DecodeFrom(bytes.NewReader(raw), true)
	if err != nil {
		t.Fatal(err)
	}
	v := list.(*m3u8.MasterPlaylist).Variants[0]
	if v.URI != "video.m3u8" || v.Codecs != "avc1.64001f,mp4a.40.2" || v.Resolution != "640x360" || v.FrameRate != 25 {
		t.Errorf("variant:\n%s", raw)
	}
	a := v.Alternatives[0]
	if a.URI != "audio.m3u8" || a.GroupId != v.Audio || a.Type != "AUDIO" || !a.Default {
		t.Errorf("audio:\n%s", raw)
	}
	size := 0
	for _, u := range cuts {
		for n := range int64(4) {
			size += len(segmentBytes(t, u, n))
		}
	}
	if mean := uint32(size); v.Bandwidth < mean || v.Bandwidth > 2*mean { // size bytes in 8 s
		t.Errorf("bandwidth %d, mean %d", v.Bandwidth, mean)
	}
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		done []int64
		want segments
	}{
		{[]int64{7}, segments{7}},
		{[]int64{7, 8, 9, 10}, segments{7, 8, 9, 10}},
		{[]int64{7, 8, 9, 10, 11, 12}, segments{9, 10, 11, 12}},
		{[]int64{7, 8, 10}, segments{10}},
		{[]int64{7, 8, 10, 9, 11}, segments{10, 11}},
		{[]int64{7, 7}, segments{7}},
	} {
		var s segments
		for _, n := range c.done {
			s = s.add(n)
		}
		if !reflect.DeepEqual(s, c.want) {
			t.Errorf("after %v: %v, want %v", c.done, s, c.want)
		}
	}
}
