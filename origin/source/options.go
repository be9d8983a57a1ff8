package source

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/mediatype"
	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/segstore"
)

// Defaults of Options.
const (
	DefaultTimeout    = 10 * time.Second
	DefaultMaxOutputs = 64
)

// Options say where uploads go, and how patiently. Exactly one of Exec, FIFO,
// File, Stdout and Push is set. What else is zero has the default given here.
type Options struct {
	// Exec is a program and its arguments, run once for each upload, which is
	// its standard input.
	Exec []string
	// FIFO is the path of a named pipe. It is made if it is not there, for its
	// owner and group, and stays.
	FIFO string
	// File is the path of a file that each upload replaces; with a slash at its
	// end, of a directory into which uploads go under their names. The directory
	// is made if it is not there.
	File string
	// Stdout is where uploads go one after the other, such as os.Stdout. A write
	// to what is neither an *os.File nor has a SetWriteDeadline is not bounded.
	Stdout io.Writer
	// Push is another server. Its own Timeout holds, even with BlockIO; if that
	// is zero, the one given here.
	Push *push.Destination

	// Ext, with or without a dot, takes the place of the extension of an
	// upload's name; MIME that of its media type.
	Ext, MIME string
	// BlockIO has the sender wait for as long as the output needs.
	BlockIO bool
	// Timeout is how long an output may take nothing, a pipe may be without a
	// reader, and an upload may wait for its turn (10 s).
	Timeout time.Duration
	// MaxOutputs bounds the uploads at a time, with those that wait for their
	// turn (64).
	MaxOutputs int
	// Log gets what goes wrong, and what commands print. It defaults to
	// slog.Default.
	Log *slog.Logger

	times times
}

// Upload is what is known of an upload before its bytes.
type Upload struct {
	Name        string // a path with slashes, none in front
	ContentType string // may be empty
	Length      int64  // in bytes; -1 if it is not announced
	Peer        string // who sends, for the log
}

// times are the spans that have no option.
type times struct {
	grace                                  time.Duration // from SIGTERM to SIGKILL
	gone                                   time.Duration // from SIGKILL to giving up
	end                                    time.Duration // from the end of a command's input to SIGTERM
	linger, lingerSegment, lingerAtLongest time.Duration // that a pipe stays open
}

func defaultTimes() times {
	return times{
		grace: 2 * time.Second, gone: 5 * time.Second, end: 30 * time.Second,
		linger: 2 * time.Second, lingerSegment: 10 * time.Second, lingerAtLongest: 30 * time.Second,
	}
}

// settle checks the options and sets defaults.
func (o *Options) settle() error {
	if err := o.checkOutputs(); err != nil {
		return err
	}
	switch {
	case o.Timeout < 0 || o.MaxOutputs < 0:
		return errors.New("timeout and the number of outputs cannot be negative")
	case strings.ContainsAny(o.Ext, "/\\\x00"):
		return fmt.Errorf("ext %q is not an extension such as ts", o.Ext)
	case strings.ContainsFunc(o.MIME, isControl):
		return fmt.Errorf("mime %q has a control character in it", o.MIME)
	}
	o.Ext = strings.TrimPrefix(o.Ext, ".")
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxOutputs == 0 {
		o.MaxOutputs = DefaultMaxOutputs
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.times == (times{}) {
		o.times = defaultTimes()
	}
	return nil
}

func (o *Options) checkOutputs() error {
	var given []string
	for _, c := range []struct {
		name string
		set  bool
	}{
		{"a command", len(o.Exec) > 0}, {"a named pipe", o.FIFO != ""}, {"a file", o.File != ""},
		{"standard output", o.Stdout != nil}, {"a URL", o.Push != nil},
	} {
		if c.set {
			given = append(given, c.name)
		}
	}
	switch len(given) {
	case 0:
		return errors.New("no output is given: a command, a named pipe, a file, standard output or a URL")
	case 1:
		return nil
	}
	return fmt.Errorf("uploads go to one output, not to %s", strings.Join(given, " and "))
}

// patience is how long an output may take nothing; 0 is for ever.
func (o *Options) patience() time.Duration {
	if o.BlockIO {
		return 0
	}
	return o.Timeout
}

// seen returns the upload as the output sees it.
func (o *Options) seen(u Upload) (Upload, error) {
	if o.Ext != "" {
		dir, base := path.Split(u.Name)
		if stem := strings.TrimSuffix(base, path.Ext(base)); stem != "" {
			base = stem
		}
		u.Name = dir + base + "." + o.Ext
	}
	if o.MIME != "" {
		u.ContentType = o.MIME
	}
	u.ContentType = mediatype.Of(u.Name, u.ContentType)
	if strings.ContainsFunc(u.ContentType, isControl) {
		u.ContentType = mediatype.Unknown
	}
	u.Length = max(u.Length, -1)
	if err := segstore.ValidName(u.Name); err != nil {
		return u, fmt.Errorf("%w: %w", ErrName, err)
	}
	return u, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
