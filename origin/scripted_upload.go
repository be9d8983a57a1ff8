package origin

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/headwater-origin/headwater/origin/script"
)

// scriptUpload gives the body of the request to the script, to its end. Within a
// mount the bounds of the mount hold.
func (s *Server) scriptUpload(ctx context.Context, m *mount, a *script.Answer, up *upload) error {
	if a.Write == nil {
		return closing(scriptError(errors.New("it answers an upload and has set no write")))
	}
	if m == nil {
		cfg := DefaultMount()
		cfg.MaxUpload = 0 // a script keeps what it likes
		return scriptReceive(ctx, &cfg, a, up)
	}
	if limit := int64(m.cfg.MaxUpload); limit > 0 && up.length > limit {
		return closing(tooLarge(limit))
	}
	up.received.counter = m.metrics.ingestBytes
	m.metrics.uploading.Inc()
	defer m.metrics.uploading.Dec()
	err := scriptReceive(ctx, &m.cfg, a, up)
	up.received.flush()
	if err != nil {
		m.metrics.uploadFailed.Inc()
		return err
	}
	m.metrics.uploadComplete.Inc()
	return nil
}

func scriptReceive(ctx context.Context, cfg *Mount, a *script.Answer, up *upload) error {
	up.limit, up.stall = int64(cfg.MaxUpload), time.Duration(cfg.UploadTimeout)
	buf := make([]byte, scriptPiece)
	for read := up.first; !up.ended; read = up.Read {
		n, err := read(buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return uploadFailure(cfg, err)
		}
		if n == 0 {
			continue
		}
		if err := a.Write(ctx, buf[:n]); err != nil {
			return closing(scriptError(err))
		}
	}
	up.done()
	if err := a.Write(ctx, nil); err != nil {
		return scriptError(err)
	}
	return nil
}
