package origin

import (
	"context"
	"net/http"
	"os"

	"github.com/headwater-origin/headwater/origin/script"
	"github.com/headwater-origin/headwater/segstore"
)

// reply is the answer to a request: what a lane needs to write it, and nothing
// of how it is written.
type reply struct {
	status int
	header http.Header
	body   body // nil: no content
	kind   replyKind
	// close asks that the connection is not used again, because the rest of
	// the request body was not read.
	close bool
	// last asks the same for any other reason.
	last bool
	// script is what a script has decided about it, or nil; byScript says that it
	// is the script's own reply.
	script   *script.Answer
	byScript bool
	// sent are the bytes of content that a lane has written.
	sent int64
}

// body describes the content of a reply. A lane that gets one must release it,
// whether it writes it or not (HEAD, a client that went).
type body interface {
	// length returns the exact length in bytes, or -1 when it is not known.
	length() int64
	release()
}

// bytesBody is content that is at hand.
type bytesBody []byte

func (b bytesBody) length() int64 { return int64(len(b)) }
func (b bytesBody) release()      {}

// section is some bytes of a complete file, with what goes before them.
type section struct {
	head     []byte // a multipart delimiter and header, or empty
	from, to int64
}

// content is a complete file, open: that of a store (*segstore.Body), or one that
// a script names.
type content interface {
	Size() int64
	// OnDisk is nil where the bytes are in memory: AppendSlices has them then.
	OnDisk() *os.File
	AppendSlices(dst [][]byte, from, to int64) [][]byte
	Close() error
}

// sectionsBody is one or several sections of a complete file.
type sectionsBody struct {
	file     content
	sections []section
	tail     []byte // the multipart end, or empty
}

func (b *sectionsBody) length() int64 {
	n := int64(len(b.tail))
	for _, s := range b.sections {
		n += int64(len(s.head)) + s.to - s.from
	}
	return n
}

func (b *sectionsBody) release() { _ = b.file.Close() } // read only: nothing is lost

// growingBody is a file that is followed while it grows, from an offset to its
// end or to another offset.
type growingBody struct {
	reader *segstore.Reader
	to     int64 // offset to stop at; endless: the end of the file
	size   int64 // announced bytes of this body, or -1
	sent   int64 // bytes written of it
}

// endless is the offset no file reaches: the "very large value" of RFC 8673
// section 4 is taken for it, too.
const endless = int64(1)<<53 - 1

func (b *growingBody) length() int64 { return b.size }
func (b *growingBody) release()      { b.reader.Close() }

// over is called by the lane, once: with nil when all of it has gone out.
func (r *reply) over(err error) {
	if r.script != nil {
		r.script.Done(err)
	}
}

// newReply returns a reply with the status and no headers.
func newReply(status int) *reply {
	return &reply{status: status, header: make(http.Header, 8)}
}

// streamBody is content that is made while it is sent.
type streamBody struct {
	// next appends what comes next to dst, and waits for it until ctx is done.
	// io.EOF is the end; any other error breaks the transfer.
	next func(ctx context.Context, dst [][]byte) ([][]byte, error)
	// size is the announced length, or -1.
	size int64
	// onCut, if set, takes what ends a write under way when the viewer is cut.
	onCut func(f func())
	// done is called once, when nothing more is taken.
	done func()
}

func (b *streamBody) length() int64 { return b.size }
func (b *streamBody) release()      { b.done() }
