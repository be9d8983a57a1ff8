package demo

import (
	"bytes"
	"embed"
	"fmt"
	"strings"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/mp4"
)

//go:generate clip/make.sh

//go:embed clip/video.mp4 clip/audio.mp4
var clip embed.FS

// track is one track of the clip: its samples in order and what the manifests
// say about it. It is not changed once it is loaded.
type track struct {
	name      string // representation ID, and kind of content: video or audio
	mime      string
	codec     string // RFC 6381
	init      []byte
	id        uint32
	timescale int64
	sampleDur int64 // of every sample, in units of timescale
	samples   []mp4.FullSample

	width, height int // video
	sampleRate    int // audio
}

func loadClip() ([]*track, error) {
	video, err := loadTrack("video")
	if err != nil {
		return nil, err
	}
	audio, err := loadTrack("audio")
	if err != nil {
		return nil, err
	}
	return []*track{video, audio}, nil
}

func loadTrack(name string) (*track, error) {
	raw, err := clip.ReadFile("clip/" + name + ".mp4")
	if err != nil {
		return nil, fmt.Errorf("reading the clip: %w", err)
	}
	f, err := mp4.DecodeFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("reading the clip's %s: %w", name, err)
	}
	t := &track{name: name, mime: name + "/mp4", init: raw[:f.Init.Size()]}
	if err := t.describe(f.Init.Moov.Trak); err != nil {
		return nil, fmt.Errorf("reading the clip's %s: %w", name, err)
	}
	for _, s := range f.Segments {
		for _, frag := range s.Fragments {
			samples, err := frag.GetFullSamples(f.Init.Moov.Mvex.Trex)
			if err != nil {
				return nil, fmt.Errorf("reading the clip's %s: %w", name, err)
			}
			t.samples = append(t.samples, samples...)
		}
	}
	t.sampleDur = int64(t.samples[0].Dur)
	return t, nil
}

// describe takes over what the track's header says.
func (t *track) describe(trak *mp4.TrakBox) error {
	t.id = trak.Tkhd.TrackID
	t.timescale = int64(trak.Mdia.Mdhd.Timescale)
	stsd := trak.Mdia.Minf.Stbl.Stsd
	if stsd.AvcX == nil {
		t.codec = "mp4a.40.2"
		t.sampleRate = int(stsd.Mp4a.SampleRate)
		return nil
	}
	sps, err := avc.ParseSPSNALUnit(stsd.AvcX.AvcC.SPSnalus[0], false)
	if err != nil {
		return fmt.Errorf("parameter set: %w", err)
	}
	t.codec = strings.ToLower(avc.CodecString("avc1", sps))
	t.width, t.height = int(stsd.AvcX.Width), int(stsd.AvcX.Height)
	return nil
}

func (t *track) initName() string           { return "init-" + t.name + ".mp4" }
func (t *track) playlistName() string       { return t.name + ".m3u8" }
func (t *track) segmentName(n int64) string { return fmt.Sprintf("%s-%d.m4s", t.name, n) }
func (t *track) samplesPerSecond() float64  { return float64(t.timescale) / float64(t.sampleDur) }
