package relay

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/headwater-origin/headwater/origin/framing"
)

// Defaults of Options.
const (
	DefaultMaxAsyncBuf  = 100_000
	DefaultBlockTimeout = 10 * time.Second
)

// Options say how a relay treats its input and its listeners. What is zero has
// the default given here.
type Options struct {
	// Hold opens the input only once the first listener is there.
	Hold bool
	// Reopen starts an input anew that ended well: a command at once, a file
	// for the next listener. Without it such an input is over. Sockets, FIFOs
	// and uploads are always waited for again.
	Reopen bool
	// Loop starts a file anew at its end.
	Loop bool
	// BlockIO has the input wait for the slowest listener, each of whom may
	// hold it up for BlockTimeout at a time and is cut then.
	BlockIO bool
	// BlockTimeout is for BlockIO (10 s).
	BlockTimeout time.Duration
	// MaxAsyncBuf is how many bytes a listener may lie behind before it is cut
	// (100000). What is published last does not count, nor what a listener got
	// from the past when it joined until it has caught up; and two of the
	// largest frames may always wait.
	MaxAsyncBuf int64
	// Pace gives an input out in real time that comes without it, such as a
	// file on standard input. Files always are.
	Pace bool
	// Rate is in bits per second. It paces what has no times of its own; 0:
	// such input goes out as fast as the slowest listener takes it.
	Rate int64
	// Format is how the input is built; nil: found out from Name, the content
	// type and the first bytes.
	Format *framing.Format
	// ContentType is the input's media type; "": by format or by upload.
	ContentType string
	// Name is the resource's name, whose extension tells the format when
	// nothing else does.
	Name string
	// Title is the title of what has none of its own, see SetTitle.
	Title string
	// Received is told of each number of bytes that an input has given, except
	// by Feed, whose caller knows; nil: nobody.
	Received func(n int)
	// Log takes what happens to the input; nil: nowhere.
	Log *slog.Logger
}

func (o *Options) setDefaults() {
	if o.MaxAsyncBuf <= 0 {
		o.MaxAsyncBuf = DefaultMaxAsyncBuf
	}
	if o.BlockTimeout <= 0 {
		o.BlockTimeout = DefaultBlockTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// formatNames are the formats as a configuration names them.
var formatNames = map[string]framing.Format{
	"raw": framing.Raw, "mp3": framing.MP3, "adts": framing.ADTS, "ts": framing.TS, "fmp4": framing.FMP4,
}

// ParseFormat returns the format of that name, for Options.Format: raw, mp3,
// adts, ts, fmp4; and nil for auto and "".
func ParseFormat(name string) (*framing.Format, error) {
	if name == "" || name == "auto" {
		return nil, nil //nolint:nilnil // nil is the format that is found out
	}
	f, ok := formatNames[name]
	if !ok {
		return nil, fmt.Errorf("format %q is not one of auto, raw, mp3, adts, ts, fmp4", name)
	}
	return &f, nil
}
