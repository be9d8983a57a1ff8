package manifest

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/Eyevinn/dash-mpd/mpd"
)

// mpdWindows reads the windows of a dynamic MPD: timeShiftBufferDepth in segments,
// and one more, since a segment is asked for until its end has left the window
// (ISO/IEC 23009-1, A.3.4).
func mpdWindows(name string, data []byte) ([]Window, error) {
	data, err := wellFormed(data, "MPD")
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	m, err := mpd.MPDFromBytes(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if m.GetType() != mpd.DYNAMIC_TYPE || m.TimeShiftBufferDepth == nil {
		return nil, nil
	}
	depth := m.TimeShiftBufferDepth.Seconds()
	var list []Window
	for _, p := range m.Periods {
		for _, set := range p.AdaptationSets {
			for _, rep := range set.Representations {
				t := inherited(p.SegmentTemplate, set.SegmentTemplate, rep.SegmentTemplate)
				segment := resolve(name, append(bases(m, p, set, rep), t.media(rep))...)
				list = add(list, segment, math.Ceil(depth/t.seconds())+1)
			}
		}
	}
	return list, nil
}

// bases are the first BaseURL of each level that has one.
func bases(m *mpd.MPD, p *mpd.Period, set *mpd.AdaptationSetType, rep *mpd.RepresentationType) (refs []string) {
	for _, level := range [][]*mpd.BaseURLType{m.BaseURL, p.BaseURLs, set.BaseURLs, rep.BaseURLs} {
		if len(level) > 0 {
			refs = append(refs, string(level[0].Value))
		}
	}
	return refs
}

// template is a SegmentTemplate with what it inherits from the levels above it
// (section 5.3.9.1).
type template struct {
	mediaURL  string
	timescale float64
	duration  float64 // in units of timescale; 0: none
	timeline  *mpd.SegmentTimelineType
}

func inherited(levels ...*mpd.SegmentTemplateType) (t template) {
	t.timescale = 1
	for _, l := range levels {
		if l == nil {
			continue
		}
		if l.Media != "" {
			t.mediaURL = l.Media
		}
		if l.Timescale != nil {
			t.timescale = float64(*l.Timescale)
		}
		if l.Duration != nil {
			t.duration = float64(*l.Duration)
		}
		if l.SegmentTimeline != nil {
			t.timeline = l.SegmentTimeline
		}
	}
	return t
}

// seconds returns the length of a segment; of a timeline, that of its shortest.
func (t template) seconds() float64 {
	units := t.duration
	if units == 0 && t.timeline != nil {
		for _, s := range t.timeline.S {
			if d := float64(s.D); d > 0 && (units == 0 || d < units) {
				units = d
			}
		}
	}
	if units <= 0 || t.timescale <= 0 {
		return math.NaN()
	}
	return units / t.timescale
}

// identifier is one of a template's, with its width if that is given (table 16).
var identifier = regexp.MustCompile(`\$(RepresentationID|Number|Bandwidth|Time|SubNumber|)(?:%0(\d{1,2})d)?\$`)

// media returns the name of a segment of the representation, whose number or
// time is 1.
func (t template) media(rep *mpd.RepresentationType) string {
	return identifier.ReplaceAllStringFunc(t.mediaURL, func(id string) string {
		m := identifier.FindStringSubmatch(id)
		width, _ := strconv.Atoi(m[2]) // none is 0
		switch m[1] {
		case "":
			return "$"
		case "RepresentationID":
			return rep.Id
		case "Bandwidth":
			return pad(strconv.FormatUint(uint64(rep.Bandwidth), 10), width)
		}
		return pad("1", width)
	})
}

func pad(number string, width int) string {
	return strings.Repeat("0", max(0, width-len(number))) + number
}
