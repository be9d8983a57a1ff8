package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// Sink is where the files go; *segstore.Store is one.
type Sink interface {
	Create(name string, h segstore.Head) (*segstore.Writer, error)
	Delete(name string) error
}

// Options say which directory is followed, and how.
type Options struct {
	// Dir is the directory. Its sub-directories belong to it; symbolic links
	// in it, pipes and devices do not, nor does what begins with a dot.
	Dir string
	// Existing takes the files that are there at the start, too.
	Existing bool
	// Quiet is how long a file must not have grown to count as whole where the
	// system does not tell whether it is still open for writing; a tenth of that
	// for a manifest or an init segment. Linux tells it of files of the
	// process's own user, and of all files to a process with CAP_LEASE. It is
	// also how long a NAME.tmp that its writer has closed may wait for its
	// rename. It defaults to 2 s.
	Quiet time.Duration
	// Log gets what was skipped and why. It defaults to slog.Default.
	Log *slog.Logger
}

// Folder is a directory that can be followed.
type Folder struct {
	opt  Options
	sink target

	// Replaced by tests.
	writers func(*os.File) writerState
	watch   func() (watcher, error)
	most    int           // files that are followed at a time, besides manifests
	beat    time.Duration // between looks at the folder itself
}

// mostFollowed bounds the files that are followed at a time, each of which has
// a goroutine and a descriptor.
const mostFollowed = 256

// lookEvery is how often it is looked whether the folder is still the same, and
// what was put off is due.
const lookEvery = time.Second

// New returns a Folder. It is an error if opt.Dir is not a directory.
func New(opt Options, sink Sink) (*Folder, error) {
	return newFolder(opt, storeTarget{sink})
}

func newFolder(opt Options, sink target) (*Folder, error) {
	if opt.Quiet <= 0 {
		opt.Quiet = 2 * time.Second
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	info, err := os.Stat(opt.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("follow folder %q: there is no such directory; make it first", opt.Dir)
	case err != nil:
		return nil, fmt.Errorf("follow folder: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("follow folder %q: it is not a directory", opt.Dir)
	}
	if opt.Dir, err = filepath.Abs(opt.Dir); err != nil {
		return nil, fmt.Errorf("follow folder: %w", err)
	}
	return &Folder{
		opt: opt, sink: sink, writers: findWriter, watch: watchSystem, most: mostFollowed, beat: lookEvery,
	}, nil
}
