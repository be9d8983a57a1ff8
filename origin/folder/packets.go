package folder

// packetSize is that of an MPEG transport stream packet, and syncByte its first
// byte (ISO/IEC 13818-1, section 2.4.3.2).
const (
	packetSize = 188
	syncByte   = 0x47
)

// packetWalk finds whether a file ends where one of its TS packets does. The
// zero value is ready. What has no sync byte where one should be (it may be
// encrypted) is foreign: nothing is said of it.
type packetWalk struct {
	pos     int64 // of the next byte that scan gets
	foreign bool
}

// scan takes the next bytes of the file.
func (w *packetWalk) scan(p []byte) {
	for at := (packetSize - w.pos%packetSize) % packetSize; at < int64(len(p)) && !w.foreign; at += packetSize {
		w.foreign = p[at] != syncByte
	}
	w.pos += int64(len(p))
}

// whole reports that the file may end here.
func (w *packetWalk) whole() bool { return w.foreign || w.pos%packetSize == 0 }
