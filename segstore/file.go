package segstore

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// ErrState is returned by a call that is not legal in the file's state.
var ErrState = errors.New("not possible in this state of the file")

// File is one upload of one name. A File never starts anew: a second upload of
// the name is another File.
type File struct {
	name string // static

	view atomic.Pointer[view]

	// holds counts the store's registry and the open Readers and Bodies. It
	// does not keep memory alive; it tells the store when memory that it has
	// evicted is free at last, so that its books agree with the machine.
	holds atomic.Int64
	// onFree is called once, when holds falls to zero. Static.
	onFree func(*File)

	kind atomic.Uint32 // 1 + the Kind once it is decided, see File.Kind
	mem  atomic.Int64  // bytes of memory that the store's books have for it
}

// newFile returns a File in the Pending state. onFree may be nil.
func newFile(name string, onFree func(*File)) *File {
	f := &File{name: name, onFree: onFree}
	f.holds.Store(1)
	f.view.Store(&view{state: Pending, next: make(chan struct{})})
	return f
}

// newDiskFile returns a File that is Complete and lies on disk.
func newDiskFile(name string, h Head, d *diskFile, size int64, mod time.Time) *File {
	f := &File{name: name}
	f.holds.Store(1)
	f.view.Store(&view{head: h, size: size, state: Complete, modTime: mod, etag: MakeETag(mod, size), disk: d})
	return f
}

// Name returns the name it was created under.
func (f *File) Name() string { return f.name }

// View returns the newest view.
func (f *File) View() View { return View{f.view.Load()} }

// set stores next as the newest view and returns the channel that wakes who
// waits on the one before. The caller closes it once it holds no lock: for ten
// thousand waiters that takes milliseconds.
func (f *File) set(next *view) (wake chan struct{}) {
	return f.view.Swap(next).next
}

func (f *File) hold() { f.holds.Add(1) }

func (f *File) release() {
	if f.holds.Add(-1) == 0 && f.onFree != nil {
		f.onFree(f)
	}
}

// Open opens the whole of a Complete file. The caller closes the Body.
// An error that wraps fs.ErrNotExist means that the file has gone from disk.
func (f *File) Open() (*Body, error) {
	v := f.View()
	if v.State() != Complete {
		return nil, fmt.Errorf("open %s while %s: %w", f.name, v.State(), ErrState)
	}
	b := &Body{file: f, view: v}
	if d := v.v.disk; d != nil {
		osf, err := d.open()
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", f.name, err)
		}
		b.osFile = osf
	}
	f.hold()
	return b, nil
}

// Body is the whole of a Complete file, open: in memory or on disk.
type Body struct {
	file   *File
	view   View
	osFile *os.File
}

// Size returns its length in bytes.
func (b *Body) Size() int64 { return b.view.Size() }

// OnDisk returns the open file when the bytes lie on disk, else nil. It stays
// the Body's; its offset is the caller's to move.
func (b *Body) OnDisk() *os.File { return b.osFile }

// AppendSlices appends the bytes [from, to) to dst as View.AppendSlices does;
// only for a Body that is not on disk.
func (b *Body) AppendSlices(dst [][]byte, from, to int64) [][]byte {
	return b.view.AppendSlices(dst, from, to)
}

// Close gives the file back. It is legal once.
func (b *Body) Close() error {
	b.file.release()
	if b.osFile != nil {
		return b.osFile.Close()
	}
	return nil
}

// MakeETag derives the entity tag from what a directory keeps of a file as
// well, so that it outlives the move to disk and a restart.
func MakeETag(mod time.Time, size int64) string {
	return fmt.Sprintf(`"%x-%x"`, mod.UnixNano(), size)
}
