package relay

import "strings"

// DefaultICYInterval is how many bytes of media lie between two metadata
// blocks.
const DefaultICYInterval = 16000

// mostICY is the longest text of a metadata block: its length byte counts 16
// bytes.
const mostICY = 255 * 16

// ICY puts metadata blocks with the title into one listener's bytes, as the
// header icy-metaint announces them. It is for one goroutine.
type ICY struct {
	interval int
	title    func() string
	left     int    // bytes of media before the next block
	sent     string // the title that the listener has
}

// noMetadata is the block that says that nothing changed.
var noMetadata = []byte{0}

// NewICY returns an ICY with a block after every interval bytes of media (0 or
// less: DefaultICYInterval). title is asked for each block.
func NewICY(interval int, title func() string) *ICY {
	if interval <= 0 {
		interval = DefaultICYInterval
	}
	return &ICY{interval: interval, title: title, left: interval}
}

// Interval is what icy-metaint has to say.
func (y *ICY) Interval() int { return y.interval }

// Insert appends the slices of src to dst, with the blocks that belong between
// them. Media is not copied: what is appended aliases src.
func (y *ICY) Insert(dst, src [][]byte) [][]byte {
	for _, b := range src {
		for len(b) >= y.left {
			if y.left > 0 {
				dst = append(dst, b[:y.left:y.left])
			}
			b = b[y.left:]
			dst = append(dst, y.block())
			y.left = y.interval
		}
		if len(b) > 0 {
			dst = append(dst, b)
			y.left -= len(b)
		}
	}
	return dst
}

// block returns the next metadata block.
func (y *ICY) block() []byte {
	title := y.title()
	if title == y.sent {
		return noMetadata
	}
	y.sent = title
	return metadata(title)
}

// icySafe keeps a title from ending its quotes: players look for the first one.
var icySafe = strings.NewReplacer("'", "\u2019", "\x00", "")

// metadata returns the block that tells the title.
func metadata(title string) []byte {
	const head, tail = "StreamTitle='", "';"
	text := cutAt(icySafe.Replace(title), mostICY-len(head)-len(tail))
	text = head + text + tail
	units := (len(text) + 15) / 16
	b := make([]byte, 1+16*units)
	b[0] = byte(units) // at most 255 by mostICY
	copy(b[1:], text)
	return b
}
