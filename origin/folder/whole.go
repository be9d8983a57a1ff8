package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"strings"
	"time"
)

// mostManifest bounds a manifest, which is read into memory, in bytes.
const mostManifest = 64 << 20

var errManifestSize = fmt.Errorf("manifest is larger than %d bytes", mostManifest)

// grain is more than how far apart two changes of a file must be for their
// times to differ.
const grain = 20 * time.Millisecond

// lookWhole puts a manifest into the store once its writer has closed it. In
// place it waits for its time to be old, so that a change while it is read is
// seen.
func (f *follower) lookWhole(ctx context.Context, changed bool) (end outcome, over bool) {
	if changed && f.begun {
		f.last, f.delay = time.Now(), spell
	}
	f.ask = f.ask || changed
	writer, asked := f.writer()
	if !asked || !f.over(writer, f.enough()) {
		return outcome{}, false
	}
	if !f.moved && time.Since(f.last) < grain {
		f.ask, f.delay = true, grain
		return outcome{}, false
	}
	body, err := f.readAll(ctx, f.seen.size)
	if err != nil {
		return f.failed(err), true
	}
	after, err := f.stat()
	switch {
	case err != nil:
		return f.failed(err), true
	case after != f.seen:
		f.ask = true
		return outcome{}, false
	}
	return f.publish(body), true
}

// readAll reads the size bytes of the file, or fewer if it has fewer by now.
func (f *follower) readAll(ctx context.Context, size int64) ([]byte, error) {
	if size > mostManifest {
		return nil, &refusal{errManifestSize}
	}
	body := make([]byte, size)
	for off := 0; off < len(body); {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", errStopped, context.Cause(ctx))
		}
		n, err := f.file.ReadAt(body[off:min(len(body), off+pieceSize)], int64(off))
		off += n
		if errors.Is(err, io.EOF) {
			return body[:off], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return body, nil
}

// publish puts the manifest into the store, unless it is the version that is
// there.
func (f *follower) publish(body []byte) outcome {
	switch {
	case len(body) == 0:
		return outcome{how: empty, seen: f.seen}
	case !wholeText(f.name, body):
		return f.drop(broken, errCutText)
	}
	sum := digest{maphash.Bytes(f.seed, body), int64(len(body))}
	if sum == f.before {
		return outcome{how: taken, seen: f.seen, sum: sum}
	}
	if err := f.give(body); err != nil {
		return f.failed(err)
	}
	end := f.keep()
	end.sum = sum
	return end
}

// wholeText reports that nothing shows a manifest to be cut: an MPD has its end
// tag, a playlist its first line (RFC 8216, section 4.3.1.1).
func wholeText(name string, body []byte) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".mpd":
		return bytes.Contains(body, []byte("MPD>"))
	case ".m3u8":
		return bytes.HasPrefix(body, []byte("#EXTM3U"))
	}
	return true
}
