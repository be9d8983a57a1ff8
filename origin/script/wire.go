package script

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// kind says what a frame is.
type kind uint8

const (
	// From the parent. Each but done and ping is answered.
	kindLoad     kind = iota + 1 // loadMsg: the first frame
	kindRequest                  // Request; answered by answer or fail
	kindRead                     // number of bytes wanted; by data or fail
	kindWrite                    // the bytes, none at the end; by wrote or fail
	kindThrottle                 // bytes sent, bytes in all; by delay or fail
	kindDone                     // the code for close(): the request is over
	kindPing                     // by pong

	// From the child.
	kindLoaded // the script is ready
	kindAnswer // answerMsg
	kindData   // what read gave, and the bytes
	kindWrote
	kindDelay // microseconds
	kindPong
	kindFail  // failMsg, in place of an answer
	kindLog   // failMsg of which no request waits to hear
	kindPrint // printMsg
	kindBye   // the child ends; it is asked nothing more

	kindEnd // one more than the last
)

// A frame is its header and a body. The header is the length of what follows
// it, in four bytes, the kind, the request's number in eight and the number of
// the question within the request in four, all big-endian.
type frame struct {
	kind kind
	id   uint64
	seq  uint32
	body []byte
}

const (
	lenSize    = 4
	headerSize = lenSize + 1 + 8 + 4
	maxPayload = maxBody + maxHeaders + 64<<10
)

var errWire = errors.New("broken frame")

// writeTo writes the frame's header and body.
func (f frame) writeTo(w *bufio.Writer) error {
	b := w.AvailableBuffer()
	b = binary.BigEndian.AppendUint32(b, uint32(headerSize-lenSize+len(f.body)))
	b = append(b, byte(f.kind))
	b = binary.BigEndian.AppendUint64(b, f.id)
	b = binary.BigEndian.AppendUint32(b, f.seq)
	if _, err := w.Write(b); err != nil {
		return err
	}
	_, err := w.Write(f.body)
	return err
}

// readFrame reads one frame; its body is the caller's.
func readFrame(r *bufio.Reader) (frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	n := int64(binary.BigEndian.Uint32(h[:])) - (headerSize - lenSize)
	f := frame{
		kind: kind(h[lenSize]),
		id:   binary.BigEndian.Uint64(h[lenSize+1:]),
		seq:  binary.BigEndian.Uint32(h[lenSize+9:]),
	}
	if n < 0 || n > maxPayload || f.kind == 0 || f.kind >= kindEnd {
		return frame{}, fmt.Errorf("%w: kind %d, %d bytes", errWire, f.kind, n)
	}
	if n == 0 {
		return f, nil
	}
	f.body = make([]byte, n)
	if _, err := io.ReadFull(r, f.body); err != nil {
		return frame{}, fmt.Errorf("in the middle of a frame: %w", err)
	}
	return f, nil
}

// An encoder makes a body: numbers as varints, strings behind their length.
type encoder []byte

func (e *encoder) int(v int64)    { *e = binary.AppendVarint(*e, v) }
func (e *encoder) str(s string)   { e.int(int64(len(s))); *e = append(*e, s...) }
func (e *encoder) flag(v bool)    { e.int(map[bool]int64{true: 1}[v]) }
func (e *encoder) bytes(b []byte) { *e = append(*e, b...) }

func (e *encoder) headers(list []Header) {
	e.int(int64(len(list)))
	for _, h := range list {
		e.str(h.Name)
		e.str(h.Value)
	}
}

// A decoder reads what an encoder made. After the first value that is not there
// all are zero, and end tells.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) flag() bool { return d.int() != 0 }

func (d *decoder) str() string {
	n := d.int()
	if n < 0 || n > int64(len(d.b)) {
		d.bad, d.b = true, nil
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) headers() []Header {
	n := d.int()
	// Two lengths stand for each at least.
	if n < 0 || n > int64(len(d.b)/2) {
		d.bad, d.b = true, nil
	}
	if d.bad || n == 0 {
		return nil
	}
	list := make([]Header, n)
	for i := range list {
		list[i] = Header{Name: d.str(), Value: d.str()}
	}
	return list
}

// end returns an error if a value was missing or bytes are left.
func (d *decoder) end() error {
	if d.bad || len(d.b) > 0 {
		return errWire
	}
	return nil
}
