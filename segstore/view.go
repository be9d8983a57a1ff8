package segstore

import (
	"sort"
	"time"
)

// State is how far a File has come. States go forward only.
type State uint8

// The states of a File, see the package comment.
const (
	Pending State = iota
	Growing
	Complete
	Failed
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Growing:
		return "growing"
	case Complete:
		return "complete"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// Head is what the upload of a File said of it before its first byte.
type Head struct {
	// ContentType is the uploader's Content-Type, or "" if it sent none.
	ContentType string
	// Length is the announced length in bytes, or -1 when none was announced.
	Length int64
	// Arrival is the upload's place in the order of uploads; 0 takes the next.
	// Of two uploads of one name it decides which began first.
	Arrival Arrival
}

// Arrival is a place in the order of all uploads of the process. See Arrive.
type Arrival uint64

// block is a piece of a File. b has its full length from the start, so that
// views may share one slice of blocks; only bytes below view.size are
// published, and published bytes never change.
type block struct {
	off int64 // of b[0] in the file
	b   []byte
}

// view is one immutable state of a File.
type view struct {
	head    Head
	blocks  []block
	size    int64
	state   State
	err     error         // why it failed
	next    chan struct{} // closed once a newer view is stored; nil in a final state
	modTime time.Time     // of a Complete file
	etag    string        // of a Complete file, quoted
	disk    *diskFile     // where a Complete file without blocks lies
	moved   *File         // the File that took a Pending one's name
}

// View is one immutable state of a File, cheap to copy. Everything it tells
// belongs to one instant.
type View struct{ v *view }

// Head returns what the upload said beforehand.
func (v View) Head() Head { return v.v.head }

// Size returns how many bytes are published.
func (v View) Size() int64 { return v.v.size }

// State returns the state.
func (v View) State() State { return v.v.state }

// Err returns why the file failed; it is nil in every state but Failed.
func (v View) Err() error { return v.v.err }

// Changed returns a channel that is closed once a newer view exists. It is nil
// (never ready) when there will be none.
func (v View) Changed() <-chan struct{} { return v.v.next }

// ModTime returns when the file became Complete, else the zero time. It is
// later for each version of a name than for the version before.
func (v View) ModTime() time.Time { return v.v.modTime }

// ETag returns the strong entity tag of a Complete file, quoted as RFC 9110
// section 8.8.3 has it; in other states "". It is the same before and after
// the file moved to disk, and across a restart.
func (v View) ETag() string { return v.v.etag }

// AppendSlices appends the bytes [from, to) to dst without copying them. The
// slices alias the file: they must not be written to. to must not be above
// Size, and the view must hold its bytes in memory.
func (v View) AppendSlices(dst [][]byte, from, to int64) [][]byte {
	blocks := v.v.blocks
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].off > from }) - 1
	for ; from < to; i++ {
		b := blocks[i]
		end := min(int64(len(b.b)), to-b.off)
		dst = append(dst, b.b[from-b.off:end:end])
		from = b.off + end
	}
	return dst
}
