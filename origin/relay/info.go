package relay

import (
	"bytes"
	"path"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

// Info is what is known of an input. What is not known is zero.
type Info struct {
	ContentType string
	Format      framing.Format
	BitRate     int // bits per second
	SampleRate  int // Hz
	Channels    int
	Width       int // pixels
	Height      int
}

// rateTime is how much of a stream its bit rate is measured over at least.
const rateTime = 2 * time.Second

// mediaTypes are the types of what says none.
var mediaTypes = map[framing.Format]string{
	framing.MP3: "audio/mpeg", framing.ADTS: "audio/aac", framing.TS: "video/mp2t", framing.FMP4: "video/mp4",
}

// rawTypes are the types of formats that the framer does not know, by extension.
var rawTypes = map[string]string{
	".ogg": "audio/ogg", ".opus": "audio/ogg", ".oga": "audio/ogg", ".ogv": "video/ogg", ".flac": "audio/flac",
	".webm": "video/webm", ".mkv": "video/x-matroska", ".flv": "video/x-flv", ".wav": "audio/wav",
	".mpg": "video/mpeg", ".mjpeg": "video/x-motion-jpeg", ".txt": "text/plain; charset=utf-8",
}

// learner gathers the Info of one connection.
type learner struct {
	relay  *Relay
	info   Info
	header []byte        // that info was read from
	from   time.Duration // time of the first frame that has one
	timed  bool
	bytes  int64         // since from
	next   time.Duration // when the bit rate is told anew
	given  bool          // the bit rate is, and not measured
}

// begin notes what is known before the first frame.
func (l *learner) begin(f framing.Format, name, contentType string, first []byte) {
	l.info = Info{ContentType: contentType, Format: f, BitRate: int(l.relay.opt.Rate)}
	l.given = l.info.BitRate > 0
	if l.info.ContentType == "" {
		l.info.ContentType = mediaTypes[f]
	}
	if l.info.ContentType == "" {
		l.info.ContentType = rawTypes[strings.ToLower(path.Ext(name))]
	}
	if l.info.ContentType == "" {
		l.info.ContentType = "application/octet-stream"
	}
	title := id3Title(first)
	if title == "" {
		title = l.relay.opt.Title // not that of what was before
	}
	l.relay.SetTitle(title)
	l.tell()
}

func (l *learner) tell() {
	info := l.info
	l.relay.info.Store(&info)
}

// frame learns from the next frame.
func (l *learner) frame(f framing.Frame) {
	switch l.info.Format {
	case framing.MP3:
		if l.info.SampleRate == 0 {
			l.mp3(f.Data)
		}
	case framing.ADTS:
		if l.info.SampleRate == 0 {
			l.adts(f.Data)
		}
	case framing.FMP4:
		if f.Header != nil && !bytes.Equal(f.Header, l.header) {
			l.header = f.Header
			l.init(f.Header)
		}
	}
	l.measure(f)
}

// measure tells the mean bit rate since the connection's beginning.
func (l *learner) measure(f framing.Frame) {
	if l.given {
		return
	}
	if f.Time != framing.NoTime {
		if !l.timed {
			l.timed, l.from, l.next, l.bytes = true, f.Time, f.Time+rateTime, 0
		}
		if f.Time >= l.next {
			l.next = f.Time + rateTime
			if rate := int(float64(l.bytes) * 8 / (f.Time - l.from).Seconds()); !alike(rate, l.info.BitRate) {
				l.info.BitRate = rate
				l.tell()
			}
		}
	}
	l.bytes += int64(len(f.Data))
}

// alike says that two bit rates differ by what is measured too early or too late:
// what a stream says of itself is left as it is.
func alike(a, b int) bool { return max(a, b)-min(a, b) <= max(a, b)/100 }

// mp3Rates are in kbit/s, of layer III: MPEG-1, then MPEG-2 and 2.5.
var mp3Rates = [2][16]int{
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// mp3 reads the header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3).
func (l *learner) mp3(b []byte) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 || b[2]>>2&3 == 3 {
		return
	}
	version, layer := b[1]>>3&3, b[1]>>1&3 // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
	if version == 1 {
		return
	}
	l.info.SampleRate = [3]int{44100, 48000, 32000}[b[2]>>2&3]
	table := 0
	if version != 3 {
		table, l.info.SampleRate = 1, l.info.SampleRate/2
	}
	if version == 0 {
		l.info.SampleRate /= 2
	}
	l.info.Channels = 2
	if b[3]>>6 == 3 {
		l.info.Channels = 1
	}
	if rate := mp3Rates[table][b[2]>>4]; layer == 1 && rate > 0 && !l.given {
		l.info.BitRate = rate * 1000 // of this frame; the next may have others
	}
	l.tell()
}

// adtsRates are the sampling frequencies of ISO/IEC 14496-3, table 1.18.
var adtsRates = [16]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// adts reads the header of an ADTS frame (ISO/IEC 13818-7, 6.2).
func (l *learner) adts(b []byte) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xf6 != 0xf0 {
		return
	}
	l.info.SampleRate = adtsRates[b[2]>>2&15]
	if l.info.Channels = int(b[2]&1<<2 | b[3]>>6); l.info.Channels == 7 {
		l.info.Channels = 8
	}
	l.tell()
}
