package relay

import (
	"sync"
	"sync/atomic"

	"github.com/headwater-origin/headwater/origin/framing"
)

const (
	// mostBacklog is how far back a viewer may begin, in bytes, unless a
	// listener may lie further behind than that.
	mostBacklog = 2 << 20
	// mostEntries bounds what tiny frames cost beside their bytes.
	mostEntries = 16384
	// packetSize is the smallest frame that the bound on entries reckons with.
	packetSize = 188
)

// entry is a frame, or an end, in the row.
type entry struct {
	data, header []byte
	start        int64 // offset of data's first byte in all that was published
	conn         int64 // which connection of the input it came by, from 1
	clean        bool
	end          bool  // no frame: who reaches it is done
	err          error // of an end: why, if it is not a clean one
}

func (e *entry) stop() int64 { return e.start + int64(len(e.data)) }

// view is one immutable state of the row.
type view struct {
	entries []entry // oldest first; entries of views share memory and never change
	first   int64   // number of entries[0], counted from the first ever
	size    int64   // offset behind the newest frame
	last    int64   // offset where what was published last begins
	clean   int64   // number of the entry where a viewer begins, or noBacklog
	allowed int64   // how far a listener may lie behind last
	over    bool    // nothing will follow
	next    chan struct{}
}

// noBacklog says that a viewer begins with what comes next.
const noBacklog = -1

// join returns the number of the entry where a viewer begins.
func (v *view) join() int64 {
	if v.clean == noBacklog {
		return v.after()
	}
	return v.clean
}

// after returns the number of the entry that comes next.
func (v *view) after() int64 { return v.first + int64(len(v.entries)) }

// offset returns where the numbered entry begins.
func (v *view) offset(number int64) int64 {
	switch i := number - v.first; {
	case i < 0:
		return v.offset(v.first)
	case i < int64(len(v.entries)):
		return v.entries[i].start
	}
	return v.size
}

// row is what a relay publishes. Views are read without a lock.
type row struct {
	now atomic.Pointer[view]

	// Static.
	maxLag     int64 // MaxAsyncBuf
	maxBacklog int64
	maxCount   int64

	mu      sync.Mutex // guards what follows, and storing views
	largest int64      // frame so far
	headers bool       // clean frames with headers were seen, so there is a backlog
}

func newRow(maxLag int64) *row {
	r := &row{maxLag: maxLag, maxBacklog: max(mostBacklog, maxLag)}
	r.maxCount = max(mostEntries, (r.maxLag+r.maxBacklog)/packetSize)
	r.now.Store(&view{clean: noBacklog, allowed: maxLag, next: make(chan struct{})})
	return r
}

// publish appends frames of the numbered connection, and wakes who waits. The
// frames' bytes belong to the row from now on. It returns false once all is
// over.
func (r *row) publish(conn int64, frames []framing.Frame) bool {
	return r.change(func(v *view) {
		v.last = v.size
		for _, f := range frames {
			if len(f.Data) > 0 {
				r.add(v, conn, f)
			}
		}
		v.allowed = max(r.maxLag, 2*r.largest)
	})
}

func (r *row) add(v *view, conn int64, f framing.Frame) {
	if f.Clean {
		v.clean = noBacklog
		if f.Header != nil {
			v.clean, r.headers = v.after(), true
		}
	}
	e := entry{data: f.Data, header: f.Header, start: v.size, conn: conn, clean: f.Clean}
	v.size = e.stop()
	v.entries = append(v.entries, e)
	r.largest = max(r.largest, int64(len(f.Data)))
}

// end appends an end: who is there is done once they have read so far. over
// says that nothing follows. It returns the number of the entry behind it.
func (r *row) end(err error, over bool) (next int64) {
	r.change(func(v *view) {
		v.entries = append(v.entries, entry{start: v.size, end: true, err: err})
		v.clean, v.over = noBacklog, over
		next = v.after()
	})
	return next
}

// breakOff forgets the backlog: the connection it came by is gone.
func (r *row) breakOff() {
	r.change(func(v *view) { v.clean = noBacklog })
}

// change stores a new view and wakes who waits, the latter outside the lock:
// it takes the longer the more they are.
func (r *row) change(how func(*view)) bool {
	r.mu.Lock()
	old := r.now.Load()
	if old.over {
		r.mu.Unlock()
		return false
	}
	v := *old
	how(&v)
	r.trim(&v)
	v.next = make(chan struct{})
	r.now.Store(&v)
	r.mu.Unlock()
	close(old.next)
	return true
}

// trim drops what nobody may still need. Entries share memory with older views,
// so they are left behind and not wiped; the next growth of the slice lets go of
// them.
func (r *row) trim(v *view) {
	keep := v.allowed
	if r.headers {
		keep += r.maxBacklog
	}
	n := 0
	for n < len(v.entries) && v.entries[n].stop() < v.last-keep || int64(len(v.entries)-n) > r.maxCount {
		n++
	}
	v.entries = v.entries[n:]
	v.first += int64(n)
	if v.clean < v.first || v.size-v.entries[v.clean-v.first].stop() > r.maxBacklog {
		v.clean = noBacklog
	}
}
