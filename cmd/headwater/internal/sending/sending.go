// Package sending is the command headwater push: one source goes on to some
// destinations, and the end says whether all of it arrived.
//
// A directory is followed until the context ends, and each of its files sent
// while it grows. A file is read from disk for each attempt; standard input and a
// named pipe are read once, and go on while they last.
package sending

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/origin/relay"
)

// Options say what goes where.
type Options struct {
	// Src is a directory, a file, a named pipe, or "-" for Stdin.
	Src string
	// Stdin stands for "-"; nil: the process's standard input.
	Stdin *os.File
	// To are the destinations. A URL that does not end with a slash names the
	// file; else it goes there under its own name.
	To []push.Destination
	// ContentType of what has no file; "": that of its name.
	ContentType string
	// Grace is how long what is unsent may take when the context ends (5 s).
	Grace time.Duration
	// Log gets what goes wrong.
	Log *slog.Logger
}

// job is one source on its way.
type job struct {
	Options
	pusher *push.Pusher
	name   string
}

// Run sends the source. It returns nil when all that came of it was delivered.
// Files that were left out because newer ones came are told in the log only.
func Run(ctx context.Context, opt Options) error {
	if opt.Grace == 0 {
		opt.Grace = 5 * time.Second
	}
	send, err := plan(&opt)
	if err != nil {
		return err
	}
	pusher, err := push.New(opt.To, push.Options{Log: opt.Log})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, 1)
	go func() {
		failed <- pusher.Run(running)
		stop() // a destination that may not fail has: nothing is sent any more
	}()
	sending, end := either(ctx, running)
	defer end()
	j := job{Options: opt, pusher: pusher, name: nameOf(opt)}
	err = send(sending, &j)
	j.drain(ctx, running)
	stop()
	if fatal := <-failed; fatal != nil {
		return fatal
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	return j.outcome()
}

// either returns a context that is done when either is.
func either(a, b context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(a)
	stop := context.AfterFunc(b, cancel)
	return ctx, func() { stop(); cancel() }
}

// plan returns how the source is sent, and makes the URLs of files exact.
func plan(opt *Options) (func(context.Context, *job) error, error) {
	if opt.Src == "-" {
		return sendStdin, nameFile(opt)
	}
	info, err := os.Stat(opt.Src)
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return sendFolder, folderURLs(opt)
	case mode&fs.ModeNamedPipe != 0:
		return sendPipe, nameFile(opt)
	case mode.IsRegular():
		return sendFile, nameFile(opt)
	}
	return nil, fmt.Errorf("%s is no directory, no file and no named pipe", opt.Src)
}

// folderURLs wants URLs of directories.
func folderURLs(opt *Options) error {
	for _, to := range opt.To {
		where, _, _ := strings.Cut(to.URL, "?")
		if !strings.HasSuffix(where, "/") {
			return fmt.Errorf("%s: a directory goes to a URL that ends with a slash", to.URL)
		}
	}
	return nil
}

// nameFile makes the URLs that name a file exact.
func nameFile(opt *Options) error {
	for i := range opt.To {
		to := &opt.To[i]
		where, _, _ := strings.Cut(to.URL, "?")
		to.Exact = !strings.HasSuffix(where, "/")
		if !to.Exact && opt.Src == "-" {
			return fmt.Errorf("%s: standard input has no name: give the URL of the file, not of its directory", to.URL)
		}
	}
	return nil
}

// nameOf returns the name of what is sent; its extension tells its type.
func nameOf(opt Options) string {
	if opt.Src != "-" {
		return filepath.Base(opt.Src)
	}
	where, _, _ := strings.Cut(opt.To[0].URL, "?")
	return path.Base(where)
}

func sendFile(_ context.Context, j *job) error {
	j.pusher.SendFile(j.name, j.Src)
	return nil
}

func sendStdin(ctx context.Context, j *job) error {
	return sendInput(ctx, j, relay.Stdin{File: j.Stdin})
}

func sendPipe(ctx context.Context, j *job) error {
	in := &relay.FIFO{Path: j.Src}
	defer func() { _ = in.Close() }() // it was only read
	return sendInput(ctx, j, in)
}

// sendInput sends one opening of the input, up to its end.
func sendInput(ctx context.Context, j *job, in relay.Input) error {
	r, err := in.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	defer context.AfterFunc(ctx, func() { r.Close() })() // ends a Read under way
	return j.pusher.SendReader(ctx, j.name, j.ContentType, r)
}

// drain waits until all is sent or given up; once ctx is done, for the grace only.
func (j *job) drain(ctx, running context.Context) {
	last, cancel := context.WithCancel(running)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(j.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-last.Done():
		}
	})()
	_ = j.pusher.Drain(last) // the figures tell what is missing
}

// outcome logs the figures of each destination and returns what is missing.
func (j *job) outcome() error {
	var missing []string
	for _, s := range j.pusher.Stats() {
		j.Log.Info("pushed", "url", s.URL, "files", s.Sent, "bytes", s.Bytes, "deleted", s.Deleted, "retried", s.Retried,
			"failed", s.Failed, "skipped", s.Skipped, "broken", s.Broken, "gaps", s.Gaps)
		if n := s.Failed + int64(s.InFlight+s.Waiting) + s.Broken; n > 0 {
			missing = append(missing, fmt.Sprintf("%d did not reach %s", n, s.URL))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("push of %s: %s", j.Src, strings.Join(missing, "; "))
	}
	return nil
}
