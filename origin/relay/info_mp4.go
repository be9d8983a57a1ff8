package relay

import "encoding/binary"

// nextBox returns the type and the payload of the first box of b, and what
// follows it; or false when b does not hold a whole box.
func nextBox(b []byte) (kind string, payload, rest []byte, ok bool) {
	if len(b) < 8 {
		return "", nil, nil, false
	}
	size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	switch {
	case size == 1 && len(b) >= 16:
		size, head = binary.BigEndian.Uint64(b[8:]), 16
	case size == 0: // up to the end
		size = uint64(len(b))
	}
	if size < head || size > uint64(len(b)) {
		return "", nil, nil, false
	}
	return string(b[4:8]), b[head:size], b[size:], true
}

// containers are the boxes on the way to the sample descriptions.
var containers = map[string]bool{"moov": true, "trak": true, "mdia": true, "minf": true, "stbl": true}

// init reads an init segment (ISO/IEC 14496-12) for what its tracks are.
func (l *learner) init(b []byte) {
	l.info.Width, l.info.Height, l.info.SampleRate, l.info.Channels = 0, 0, 0, 0
	l.boxes(b, len(containers))
	l.tell()
}

// boxes looks into containers that are nested so deep at most.
func (l *learner) boxes(b []byte, depth int) {
	for {
		kind, payload, rest, ok := nextBox(b)
		switch {
		case !ok:
			return
		case containers[kind] && depth > 0:
			l.boxes(payload, depth-1)
		case kind == "stsd" && len(payload) > 8:
			l.sampleEntry(payload[8:])
		}
		b = rest
	}
}

// audioEntries are the sample entries that begin as an AudioSampleEntry.
var audioEntries = map[string]bool{
	"mp4a": true, "enca": true, "ac-3": true, "ec-3": true, "ac-4": true, "Opus": true, "fLaC": true, "alac": true, "mha1": true,
	"mhm1": true, "dtsc": true, "dtse": true, "dtsx": true, ".mp3": true, "ipcm": true, "fpcm": true,
}

var videoEntries = map[string]bool{
	"avc1": true, "avc3": true, "hvc1": true, "hev1": true, "encv": true, "av01": true, "vp09": true, "vp08": true, "mp4v": true,
	"dvh1": true, "dvhe": true, "dva1": true, "dvav": true, "vvc1": true, "vvi1": true,
}

// sampleEntry reads the first sample entry of a track.
func (l *learner) sampleEntry(b []byte) {
	kind, e, _, ok := nextBox(b)
	switch {
	case !ok || len(e) < 28:
	case audioEntries[kind] && l.info.SampleRate == 0:
		l.info.Channels = int(binary.BigEndian.Uint16(e[16:]))
		l.info.SampleRate = int(binary.BigEndian.Uint16(e[24:])) // 16.16
	case videoEntries[kind] && l.info.Width == 0:
		l.info.Width = int(binary.BigEndian.Uint16(e[24:]))
		l.info.Height = int(binary.BigEndian.Uint16(e[26:]))
	}
}
