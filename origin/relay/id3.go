package relay

import (
	"encoding/binary"
	"unicode/utf16"
)

// id3Title returns the title of the ID3v2.3 or v2.4 tag that b begins with, as
// "performer - title", or "" when there is none. What lies beyond b is not
// looked for.
func id3Title(b []byte) string {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[3] != 3 && b[3] != 4 || b[5]&0x40 != 0 {
		return "" // none, or one with an extended header
	}
	size := syncSafe(b[6:10])
	frames := b[10:min(len(b), 10+size)]
	var title, performer string
	for len(frames) >= 10 && frames[0] != 0 {
		n := int(binary.BigEndian.Uint32(frames[4:]))
		if b[3] == 4 {
			n = syncSafe(frames[4:8])
		}
		if n < 0 || n > len(frames)-10 {
			break
		}
		switch text := frames[10 : 10+n]; string(frames[:4]) {
		case "TIT2":
			title = id3Text(text)
		case "TPE1":
			performer = id3Text(text)
		}
		frames = frames[10+n:]
	}
	if title == "" || performer == "" {
		return cleanTitle(performer + title)
	}
	return cleanTitle(performer + " - " + title)
}

// syncSafe reads four bytes of seven bits each.
func syncSafe(b []byte) int {
	return int(b[0]&0x7f)<<21 | int(b[1]&0x7f)<<14 | int(b[2]&0x7f)<<7 | int(b[3]&0x7f)
}

// id3Text decodes a text frame: its first byte is the encoding.
func id3Text(b []byte) string {
	if len(b) < 1 {
		return ""
	}
	enc, b := b[0], b[1:]
	switch {
	case enc == 3:
		return upToZero(string(b))
	case enc == 0:
		text := make([]rune, len(b))
		for i, c := range b {
			text[i] = rune(c)
		}
		return upToZero(string(text))
	}
	order := binary.ByteOrder(binary.BigEndian)
	if enc == 1 && len(b) >= 2 {
		if b[0] == 0xff {
			order = binary.LittleEndian
		}
		b = b[2:]
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return upToZero(string(utf16.Decode(units)))
}
