package segstore

import (
	"context"
	"io"
)

// Reader follows a File from an offset to its end, in memory. It takes no lock
// and copies nothing. It is for one goroutine.
type Reader struct {
	file *File
	off  int64
	view View // the one that Try found nothing new in
}

// NewReader returns a Reader of f at the offset, which may lie beyond what is
// published. The caller closes it.
func (f *File) NewReader(offset int64) *Reader {
	f.hold()
	return &Reader{file: f, off: offset, view: f.View()}
}

// Offset returns how far the reader has come.
func (r *Reader) Offset() int64 { return r.off }

// Lag returns how many published bytes lie ahead of the reader.
func (r *Reader) Lag() int64 { return max(0, r.file.View().Size()-r.off) }

// Try appends what is published beyond the reader's offset to dst, at most
// limit bytes, and moves past it. With nothing to append it returns io.EOF at
// the end of a Complete file, the reason at that of a Failed one, and else nil:
// then Changed tells when to try again. The slices alias the file and must not
// be written to.
func (r *Reader) Try(dst [][]byte, limit int64) ([][]byte, error) {
	v := r.file.View()
	if v.Size() > r.off {
		to := r.off + min(limit, v.Size()-r.off)
		dst = v.AppendSlices(dst, r.off, to)
		r.off = to
		return dst, nil
	}
	r.view = v
	switch v.State() {
	case Complete:
		return dst, io.EOF
	case Failed:
		return dst, v.Err()
	}
	return dst, nil
}

// Skip moves the reader past n bytes, which its owner has had by another way.
func (r *Reader) Skip(n int64) { r.off += n }

// File returns what is read.
func (r *Reader) File() *File { return r.file }

// AtEnd reports that the reader has had all of a Complete file, so that a Try
// would return io.EOF.
func (r *Reader) AtEnd() bool {
	v := r.file.View()
	return v.State() == Complete && r.off >= v.Size()
}

// Changed returns a channel that is closed once there is more than the last
// Try saw.
func (r *Reader) Changed() <-chan struct{} { return r.view.Changed() }

// Next is Try that waits for at least one byte, the end, or ctx.
func (r *Reader) Next(ctx context.Context, dst [][]byte, limit int64) ([][]byte, error) {
	for {
		n := len(dst)
		dst, err := r.Try(dst, limit)
		if err != nil || len(dst) > n {
			return dst, err
		}
		select {
		case <-r.Changed():
		case <-ctx.Done():
			return dst, context.Cause(ctx)
		}
	}
}

// Close gives the file back. It is legal once.
func (r *Reader) Close() { r.file.release() }
