package framing

import "bytes"

// buffer holds what was pushed and has not come out. Taking bytes costs their
// copy and nothing else, however they were pushed.
type buffer struct {
	b   []byte
	off int
}

// Push is Framer.Push.
func (q *buffer) Push(p []byte) {
	if q.off > 0 && q.off >= len(q.b)/2 {
		q.b = q.b[:copy(q.b, q.b[q.off:])]
		q.off = 0
	}
	q.b = append(q.b, p...)
}

// rest returns what is there; it is valid until the next Push.
func (q *buffer) rest() []byte { return q.b[q.off:] }

// take removes the first n bytes and returns a copy.
func (q *buffer) take(n int) []byte {
	p := bytes.Clone(q.b[q.off : q.off+n])
	if q.off += n; q.off == len(q.b) {
		q.b, q.off = q.b[:0], 0
	}
	return p
}

// pass takes the first n bytes as a frame where nobody may begin.
func (q *buffer) pass(n int) (Frame, bool) {
	return Frame{Data: q.take(n), Time: NoTime}, true
}

// Flush is Framer.Flush for formats whose last bytes say nothing more.
func (q *buffer) Flush() (Frame, bool) {
	if n := len(q.rest()); n > 0 {
		return q.pass(n)
	}
	return Frame{}, false
}

// pieceBytes is the most that comes out at once of what has no frames.
const pieceBytes = 32 << 10

// raw is the Framer of anything.
type raw struct{ buffer }

// Next is Framer.Next.
func (r *raw) Next() (Frame, bool) {
	n := min(len(r.rest()), pieceBytes)
	if n == 0 {
		return Frame{}, false
	}
	return Frame{Data: r.take(n), Clean: true, Time: NoTime}, true
}
