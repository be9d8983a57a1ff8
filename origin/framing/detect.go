package framing

import (
	"mime"
	"path"
	"strings"
)

// Detect tells the format of a stream by its first bytes; where these are too few
// to tell, by its media type, then by the extension of its name.
func Detect(name, contentType string, first []byte) Format {
	said := said(name, contentType)
	switch {
	case isBox(first):
		return FMP4
	case packets(first) >= 2, packets(first) == 1 && said == TS, inRow(first) >= sureRow:
		return TS
	case beginsAs(first, mp3Head):
		return MP3
	case beginsAs(first, adtsHead):
		return ADTS
	case len(first) >= enough && id3Bytes(first) > len(first):
		if said == ADTS { // a tag with pictures: what it stands before is not seen
			return ADTS
		}
		return MP3
	case contradicts(said, first):
		said = Raw
	}
	if said == Raw {
		return within(first)
	}
	return said
}

const (
	// enough bytes are those of two frames of the longest kind.
	enough = 4000
	// sureRow packets in a row are no accident.
	sureRow = 4
)

// within returns the format of the audio frames that are somewhere in b: a stream
// may come from its middle on.
func within(b []byte) Format {
	for f, head := range map[Format]func([]byte) (audioHead, bool){MP3: mp3Head, ADTS: adtsHead} {
		a := audio{head: head}
		skip, found := a.sync(b)
		if !found || skip+headBytes > len(b) {
			continue
		}
		h, _ := head(b[skip:])
		if beginsAs(b[skip+h.size:], head) {
			return f
		}
	}
	return Raw
}

// byType and byExtension are the formats by what is said of a stream.
var (
	byType = map[string]Format{
		"audio/mpeg": MP3, "audio/mp3": MP3, "audio/aac": ADTS, "audio/aacp": ADTS, "video/mp2t": TS,
		"video/mp4": FMP4, "audio/mp4": FMP4, "application/mp4": FMP4, "video/iso.segment": FMP4,
	}
	byExtension = map[string]Format{
		".mp3": MP3, ".aac": ADTS, ".adts": ADTS, ".ts": TS, ".mpegts": TS,
		".mp4": FMP4, ".m4s": FMP4, ".m4a": FMP4, ".m4v": FMP4, ".cmfv": FMP4, ".cmfa": FMP4,
	}
)

func said(name, contentType string) Format {
	if media, _, err := mime.ParseMediaType(contentType); err == nil {
		if f, ok := byType[media]; ok {
			return f
		}
	}
	return byExtension[strings.ToLower(path.Ext(name))]
}

// firstBoxes are the boxes that a stream may begin with.
var firstBoxes = map[string]bool{"ftyp": true, "styp": true, "moov": true, "moof": true, "sidx": true, "prft": true, "emsg": true}

func isBox(b []byte) bool { return len(b) >= 8 && firstBoxes[string(b[4:8])] }

// packets counts the transport packets that b begins with; of the last it is
// enough that it has begun.
func packets(b []byte) int {
	n := 0
	for ; len(b) > 0 && b[0] == syncByte; n++ {
		b = b[min(len(b), packetBytes):]
	}
	return n
}

// inRow counts the packets that stand in a row, wherever in b the first begins.
func inRow(b []byte) (most int) {
	for i := range min(len(b), packetBytes) {
		most = max(most, packets(b[i:]))
	}
	return most
}

// beginsAs says that b begins with two frames, or a tag and a frame.
func beginsAs(b []byte, head func([]byte) (audioHead, bool)) bool {
	need := 2
	for ; need > 0 && len(b) >= headBytes; need-- {
		n := id3Bytes(b)
		if h, ok := head(b); ok {
			n = h.size
		}
		if n == 0 || n > len(b) && need > 1 {
			return false
		}
		b = b[min(n, len(b)):]
	}
	return need == 0
}

// contradicts says that b can be no stream of the format.
func contradicts(f Format, b []byte) bool {
	switch f {
	case TS:
		return len(b) >= sureRow*packetBytes && inRow(b) < sureRow-1
	case FMP4:
		return len(b) >= 8 && !isBoxName(b[4:8])
	case MP3, ADTS:
		a := audio{head: mp3Head}
		if f == ADTS {
			a.head = adtsHead
		}
		if len(b) >= headBytes && id3Bytes(b) > 0 {
			return false
		}
		skip, found := a.sync(b)
		return !found && len(b) >= enough && skip+headBytes > len(b)
	}
	return false
}

// isBoxName says that the four bytes can name a box.
func isBoxName(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
