// Package framing cuts a stream that has no end into pieces that may be sent on
// as a whole, and says where a viewer may begin.
//
// It knows MPEG audio (MP3), ADTS (AAC), MPEG-TS and fragmented MP4 by their
// own marks; anything else is raw: every byte is as good a beginning as any
// other. It never waits and never drops a byte: what is pushed comes out again,
// in order, in frames.
package framing

import "time"

// Format is how a stream is built.
type Format uint8

// The formats.
const (
	Raw  Format = iota // anything: no marks, no times
	MP3                // MPEG-1/2/2.5 audio, ID3 tags between
	ADTS               // AAC in ADTS (ISO/IEC 13818-7)
	TS                 // MPEG-2 transport stream (ISO/IEC 13818-1)
	FMP4               // fragmented MP4 (ISO/IEC 14496-12)
)

// NoTime is the Time of a frame that the stream says nothing about.
const NoTime time.Duration = -1

// Frame is a piece of a stream: whole frames, packets or boxes.
type Frame struct {
	// Data are the bytes. They belong to who takes the frame and are not
	// written to again.
	Data []byte
	// Clean says that a viewer may begin here, after Header.
	Clean bool
	// Header is what a viewer who begins here needs before Data, or nil: an
	// init segment, or a program's tables. It is set on every Clean frame of a
	// format that has one, and must not be written to.
	Header []byte
	// Time is when the frame is due, counted from the first frame with a time:
	// it grows through breaks of the stream's own clock. NoTime: unknown.
	Time time.Duration
}

// Framer cuts one stream. It is for one goroutine.
type Framer interface {
	// Push takes the next bytes of the stream. They may be used again by the
	// caller afterwards.
	Push(p []byte)
	// Next returns the next whole frame, or false when more bytes are needed.
	Next() (Frame, bool)
	// Flush returns what is left at the end of the stream, which may be less
	// than a whole frame, or false when there is nothing.
	Flush() (Frame, bool)
}

// formats are what each format is called and what its media type is.
var formats = [...]struct{ name, contentType string }{
	Raw: {"raw", "application/octet-stream"}, MP3: {"mp3", "audio/mpeg"}, ADTS: {"adts", "audio/aac"},
	TS: {"ts", "video/mp2t"}, FMP4: {"fmp4", "video/mp4"},
}

// String returns the format's name.
func (f Format) String() string {
	if int(f) >= len(formats) {
		f = Raw
	}
	return formats[f].name
}

// ContentType returns the media type of a stream that says none of its own.
func (f Format) ContentType() string {
	if int(f) >= len(formats) {
		f = Raw
	}
	return formats[f].contentType
}

// New returns a Framer at the beginning of a stream.
func New(f Format) Framer {
	switch f {
	case MP3:
		return &audio{head: mp3Head}
	case ADTS:
		return &audio{head: adtsHead}
	case TS:
		return &transport{}
	case FMP4:
		return &fragments{}
	}
	return &raw{}
}
