package demo

import (
	"bytes"
	"fmt"
	"time"

	"github.com/Eyevinn/dash-mpd/mpd"
)

// makeMPD writes the MPD. It holds for the whole run: the template's numbers
// count from Anchor, so nothing in it changes as segments come and go.
func makeMPD(o Options, cuts []*cut, published time.Time) ([]byte, error) {
	m := mpd.NewMPD(mpd.DYNAMIC_TYPE)
	m.Profiles = mpd.ListOfProfilesType(mpd.PROFILE_LIVE + "," + mpd.PROFILE_CMAF)
	m.AvailabilityStartTime = dateTime(Anchor)
	m.PublishTime = dateTime(published)
	m.MinimumUpdatePeriod = duration(5 * o.SegmentDuration)
	m.MinBufferTime = duration(time.Second)
	m.TimeShiftBufferDepth = duration(window * o.SegmentDuration)
	m.SuggestedPresentationDelay = duration(2 * o.SegmentDuration)
	m.MaxSegmentDuration = duration(o.SegmentDuration)
	m.ServiceDescription = []*mpd.ServiceDescriptionType{serviceDescription(o)}
	m.UTCTimings = []*mpd.DescriptorType{mpd.NewDescriptor("urn:mpeg:dash:utc:http-head:2014", MPDName, "")}
	if o.TimeURL != "" {
		m.UTCTimings[0] = mpd.NewDescriptor("urn:mpeg:dash:utc:http-iso:2014", o.TimeURL, "")
	}
	period := mpd.NewPeriod()
	period.Id = "demo"
	period.Start = duration(0)
	m.AppendPeriod(period)
	for i, u := range cuts {
		set, err := adaptationSet(o, u, uint32(i+1))
		if err != nil {
			return nil, err
		}
		period.AppendAdaptationSet(set)
	}
	var b bytes.Buffer
	if _, err := m.Write(&b, "  ", true); err != nil {
		return nil, fmt.Errorf("writing the MPD: %w", err)
	}
	return b.Bytes(), nil
}

// serviceDescription asks for a latency that leaves a few chunks of buffer.
func serviceDescription(o Options) *mpd.ServiceDescriptionType {
	ms := uint32(o.ChunkDuration.Milliseconds())
	return &mpd.ServiceDescriptionType{
		Latencies:     []*mpd.LatencyType{{Target: mpd.Ptr(500 + 5*ms), Min: mpd.Ptr(250 + 2*ms), Max: mpd.Ptr(4000 + 10*ms)}},
		PlaybackRates: []*mpd.PlaybackRateType{{Min: 0.96, Max: 1.04}},
	}
}

func adaptationSet(o Options, u *cut, id uint32) (*mpd.AdaptationSetType, error) {
	bandwidth, err := u.bandwidth()
	if err != nil {
		return nil, err
	}
	set := mpd.NewAdaptationSetWithParams(u.name, u.mime, true, 1)
	set.Id = &id
	set.ProducerReferenceTimes = []*mpd.ProducerReferenceTimeType{{
		Inband: true, Type: "encoder", WallClockTime: string(dateTime(Anchor)),
	}}
	set.SegmentTemplate = segmentTemplate(o, u)
	var rep *mpd.RepresentationType
	if u.width > 0 {
		rep = mpd.NewVideoRepresentation(u.name, u.codec, "", frameRate(u.track), bandwidth, u.width, u.height)
	} else {
		rep = mpd.NewAudioRepresentation(u.name, u.codec, "", bandwidth, u.sampleRate)
		rep.AudioChannelConfigurations = []*mpd.DescriptorType{
			mpd.NewDescriptor(mpd.AUDIO_CHANNEL_CONFIGURATION_MPEG_DASH, "2", ""),
		}
	}
	set.AppendRepresentation(rep)
	return set, nil
}

// segmentTemplate says that a segment may be asked for as soon as its first
// chunk is there.
func segmentTemplate(o Options, u *cut) *mpd.SegmentTemplateType {
	t := mpd.NewSegmentTemplate()
	t.Initialization = "init-$RepresentationID$.mp4"
	t.Media = "$RepresentationID$-$Number$.m4s"
	t.StartNumber = mpd.Ptr(uint32(0))
	t.SetTimescale(uint32(u.timescale))
	t.Duration = mpd.Ptr(uint32(u.chunkTicks * u.perSegment))
	t.AvailabilityTimeOffset = mpd.FloatInf64((o.SegmentDuration - o.ChunkDuration).Seconds())
	t.AvailabilityTimeComplete = mpd.Ptr(false)
	return t
}

func frameRate(t *track) string { return fmt.Sprint(t.samplesPerSecond()) }

func duration(d time.Duration) *mpd.Duration { return mpd.Ptr(mpd.Duration(d)) }

func dateTime(t time.Time) mpd.DateTime { return mpd.ConvertToDateTimeMS(t.UnixMilli()) }
