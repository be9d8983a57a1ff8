package push

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/headwater-origin/headwater/segstore"
)

// Creator is the part of a segstore.Store that a feed needs.
type Creator interface {
	Create(name string, h segstore.Head) (*segstore.Writer, error)
}

// FeedFile uploads a file to a store, which holds all of it in memory until it
// is sent. SendFile does without.
func FeedFile(ctx context.Context, store Creator, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("feed %s: %w", name, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("feed %s: %w", name, err)
	case info.IsDir():
		return fmt.Errorf("feed %s: %s is a directory", name, path)
	case !info.Mode().IsRegular():
		return FeedReader(ctx, store, name, f)
	}
	return feed(ctx, store, name, info.Size(), f)
}

// FeedReader uploads what r has to a store; as r's bytes come they are sent on.
// A failing Read makes the upload fail. A Read that blocks holds up the return,
// even when ctx is done.
func FeedReader(ctx context.Context, store Creator, name string, r io.Reader) error {
	return feed(ctx, store, name, -1, r)
}

func feed(ctx context.Context, store Creator, name string, length int64, r io.Reader) error {
	w, err := store.Create(name, segstore.Head{Length: length})
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if _, err := w.ReadFrom(ctxReader{ctx, r}); err != nil {
		w.Abort(err)
		return fmt.Errorf("feed %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("feed %s: %w", name, err)
	}
	return nil
}

// ctxReader reads no more once ctx is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
