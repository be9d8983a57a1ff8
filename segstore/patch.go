package segstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"
)

// PatchWriter takes the body of a Patch. It is for one goroutine. Exactly one
// of Close and Abort ends it; Abort after either does nothing.
type PatchWriter struct {
	// Static.
	store *Store
	name  string
	spans []Span
	base  *File  // nil when the name was missing
	etag  string // of base
	image image

	at    int   // the span that is being filled
	off   int64 // where in the file the next byte goes
	ended bool
	err   error // of a Write; it stands
	done  *File // what Close made
}

// image is the new version of a file while it is made.
type image interface {
	// writeAt writes p, which begins within the image or at its end.
	writeAt(p []byte, off int64) error
	// commit puts the image in the place of the base. It returns a File,
	// perhaps with an error that wraps ErrUnsaved, or else why nothing has
	// changed: ErrChanged when the base has lost its name.
	commit(p *PatchWriter) (*File, error)
	discard(reason error)
}

// Patch begins to change bytes of a Complete file, or to append to it. Nobody
// sees anything of it before Close, which makes a new version of the file;
// whoever reads the one before finishes on that. A patch is a deliberate
// change: it is allowed under any Policy. An upload that began after that of
// the file takes its place, patched or not, and the patched file is evicted
// when the file would have been.
//
// The new version is built beside the old one: in memory it counts against the
// byte budgets, over a directory it is a temporary file there.
//
// The error is a *MissingError, or wraps ErrGrowing (an upload has the name),
// ErrGap, ErrSpan, ErrChanged (the version is not Change.ETag), or what Create
// returns. A missing name that Change.Create allows is uploaded as with Create,
// growing for its readers.
func (s *Store) Patch(name string, c Change) (*PatchWriter, error) {
	p, err := s.patch(name, c)
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		return nil, fmt.Errorf("patch %s: %w", name, err)
	}
	return p, err
}

func (s *Store) patch(name string, c Change) (*PatchWriter, error) {
	if err := s.mayPatch(name, c.Spans); err != nil {
		return nil, err
	}
	p := &PatchWriter{store: s, name: name, spans: append([]Span(nil), c.Spans...), off: c.Spans[0].From}
	base, err := s.find(name)
	switch {
	case err != nil:
		return nil, err
	case base == nil:
		return p.started(p.create(c))
	}
	v := base.View()
	switch {
	case v.State() != Complete:
		return nil, ErrGrowing
	case c.ETag != "" && c.ETag != v.ETag():
		return nil, ErrChanged
	}
	p.base, p.etag = base, v.ETag()
	size, err := extent(v.Size(), c.Spans)
	if err != nil {
		return nil, err
	}
	return p.started(p.begin(c, size))
}

// started counts the patch as an upload of its stream, until end.
func (p *PatchWriter) started(err error) (*PatchWriter, error) {
	if err != nil {
		return nil, err
	}
	p.store.streams.begin(p.name, time.Now())
	return p, nil
}

func (p *PatchWriter) end() {
	p.ended = true
	p.store.streams.end(p.name, time.Now())
}

func (s *Store) mayPatch(name string, spans []Span) error {
	if err := ValidName(name); err != nil {
		return err
	}
	if s.opt.ReadOnly {
		return ErrReadOnly
	}
	if s.closed() {
		return ErrClosed
	}
	return checkSpans(spans)
}

// create begins the upload of a name that is missing.
func (p *PatchWriter) create(c Change) error {
	if !c.Create || c.Spans[0].From != 0 || len(c.Spans) > 1 || c.ETag != "" {
		return &MissingError{Name: p.name, Reason: p.store.tracks.reason(p.name, time.Now())}
	}
	h := Head{ContentType: c.ContentType, Length: -1}
	if c.Spans[0].To != ToEnd {
		h.Length = c.Spans[0].To
	}
	w, err := p.store.Create(p.name, h)
	p.image = upImage{w}
	return err
}

// upImage is a file that there was not before: its upload is the image.
type upImage struct{ w *Writer }

func (u upImage) writeAt(p []byte, _ int64) error {
	_, err := u.w.Write(p)
	return err
}

func (u upImage) commit(*PatchWriter) (*File, error) {
	err := u.w.Close()
	if err != nil && !errors.Is(err, ErrUnsaved) {
		return nil, err
	}
	return u.w.File(), err
}

func (u upImage) discard(reason error) { u.w.Abort(reason) }

// begin copies the base to an image; it will have so many bytes at least.
func (p *PatchWriter) begin(c Change, size int64) error {
	old, err := p.base.Open()
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	defer func() { _ = old.Close() }() // only read from
	h := p.base.View().Head()
	h.ContentType = cmp.Or(c.ContentType, h.ContentType)
	if p.store.disk != nil {
		p.image, err = p.store.disk.imageOf(p.name, old, h)
	} else {
		p.image, err = p.store.imageOf(p.base, old, h, size)
	}
	return err
}

// Write puts the next bytes of the body where they belong. An error stands:
// Close returns it as well. It wraps ErrLength when there is no range for them.
func (p *PatchWriter) Write(b []byte) (n int, err error) {
	if p.ended {
		return 0, ErrState
	}
	for len(b) > 0 && p.err == nil {
		part := b[:min(int64(len(b)), p.room())]
		if len(part) == 0 {
			err = fmt.Errorf("%w: the body is longer than its ranges", ErrLength)
		} else {
			err = p.image.writeAt(part, p.off)
		}
		if err != nil {
			p.err = fmt.Errorf("patch of %s: %w", p.name, err)
			break
		}
		b, n, p.off = b[len(part):], n+len(part), p.off+int64(len(part))
	}
	return n, p.err
}

// room returns how many bytes may go to off. At the end of a span it goes on
// to the next.
func (p *PatchWriter) room() int64 {
	sp := p.spans[p.at]
	if sp.To == ToEnd {
		return math.MaxInt64 - p.off
	}
	if p.off == sp.To && p.at+1 < len(p.spans) {
		p.at++
		sp = p.spans[p.at]
		p.off = sp.From
		return p.room()
	}
	return sp.To - p.off
}

// Close makes the patched file the version of its name. Nothing is changed when
// it returns an error, but for one that wraps ErrUnsaved. It wraps ErrLength
// when the body did not fill its ranges, and ErrChanged when the file was
// uploaded anew, patched or deleted since Patch: the caller may try again.
func (p *PatchWriter) Close() error {
	if p.ended {
		return ErrState
	}
	defer p.end()
	if err := p.bodyError(); err != nil {
		p.image.discard(err)
		return err
	}
	f, err := p.image.commit(p)
	if err != nil {
		err = fmt.Errorf("patch of %s: %w", p.name, err)
	}
	if f == nil {
		p.image.discard(err)
	}
	p.done = f
	return err
}

// bodyError returns what was wrong with the body, or nil.
func (p *PatchWriter) bodyError() error {
	if p.err != nil {
		return p.err
	}
	if left := p.room(); p.spans[p.at].To != ToEnd && left > 0 {
		return fmt.Errorf("patch of %s: %w: %d bytes of the range up to %d are missing", p.name, ErrLength, left, p.spans[p.at].To)
	}
	return nil
}

// Abort gives up the patch for the reason given. Nothing is changed.
func (p *PatchWriter) Abort(reason error) {
	if p.ended {
		return
	}
	defer p.end()
	p.image.discard(reason)
}

// Replaces reports whether there was a file to be patched.
func (p *PatchWriter) Replaces() bool { return p.base != nil }

// File returns what Close has made the version of the name, or nil.
func (p *PatchWriter) File() *File { return p.done }

// modTimeAfter returns now, but always later than the version before.
func modTimeAfter(before time.Time) time.Time {
	now := time.Now().Round(0)
	if !now.After(before) {
		return before.Add(1)
	}
	return now
}
