package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// Why an upload ended before its end.
var (
	errTooLarge = errors.New("upload is larger than the mount allows")
	errStalled  = errors.New("upload stood still for too long")
	errSender   = errors.New("upload broke off")
)

// firstRead is how much of an upload is read before there is a file: enough to
// tell an empty one, which is a probe.
const firstRead = 4 << 10

// put takes an upload (PUT and POST are the same, as DASH-IF's live media
// ingest has it). A file exists from its first byte on. An upload that fails
// leaves nothing behind but the version before.
func (m *mount) put(ctx context.Context, req *request, name string, up *upload) (*reply, error) {
	if err := m.admit(ctx, req, name, up); err != nil {
		return nil, err
	}
	if err := m.awaitPush(ctx); err != nil {
		return nil, err
	}
	up.limit, up.stall = int64(m.cfg.MaxUpload), m.uploadStall()
	up.received.counter = m.metrics.ingestBytes
	defer up.received.flush()
	if partial(req) {
		return m.patch(req, name, up)
	}
	first := make([]byte, firstRead)
	n, err := up.first(first)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, m.uploadError(err)
	}
	if n == 0 && up.ended && req.method == http.MethodPost {
		return newReply(http.StatusOK), nil // a probe of the publishing point
	}
	if name == "" || req.dir {
		return nil, closing(fail(http.StatusBadRequest, "An upload needs a file name."))
	}
	w, err := m.store.Create(name, segstore.Head{ContentType: req.header.Get("Content-Type"), Length: up.length, Arrival: up.arrival})
	if errors.Is(err, segstore.ErrKept) {
		return m.discard(req, up)
	}
	if err != nil {
		return nil, closing(asHTTPError(err))
	}
	return m.receive(req, w, first[:n], up)
}

func (m *mount) uploadStall() time.Duration { return time.Duration(m.cfg.UploadTimeout) }

// admit refuses what can be refused before a byte of the upload is read.
func (m *mount) admit(ctx context.Context, req *request, name string, up *upload) error {
	if err := m.mayWrite(ctx, req, name); err != nil {
		return closing(err)
	}
	if req.unframed && req.header.Get("Content-Length") == "" {
		return closing(fail(http.StatusLengthRequired, "An upload over HTTP/1.0 needs a Content-Length."))
	}
	if limit := int64(m.cfg.MaxUpload); limit > 0 && up.length > limit && m.store != nil {
		return closing(tooLarge(limit))
	}
	if coding := req.header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return closing(fail(http.StatusUnsupportedMediaType, "Uploads with a Content-Encoding are not supported: send the file as it is."))
	}
	if m.store == nil {
		return nil
	}
	if err := m.checkBefore(req, name); err != nil {
		return closing(err)
	}
	return nil
}

// checkBefore holds the preconditions of a change against the version before.
func (m *mount) checkBefore(req *request, name string) error {
	var before *validator
	if f, err := m.store.Lookup(name); err == nil && f.View().State() == segstore.Complete {
		before = &validator{etag: f.View().ETag(), modTime: f.View().ModTime()}
	}
	if !allowsChange(req.header, before) {
		return fail(http.StatusPreconditionFailed, "The file that is there, or none, is not what the request's If- headers ask for.")
	}
	return nil
}

// closing marks that the rest of the request is not read.
func closing(err error) error {
	e := *asHTTPError(err)
	e.close = true
	return &e
}

func tooLarge(limit int64) *httpError {
	return fail(http.StatusRequestEntityTooLarge, "The upload is larger than the %d bytes that maxs of the mount allows.", limit)
}

// receive fills the file and answers.
func (m *mount) receive(req *request, w *segstore.Writer, first []byte, up *upload) (*reply, error) {
	m.metrics.uploading.Inc()
	defer m.metrics.uploading.Dec()
	m.opened(w.File().Name())
	defer func() { m.closed(w.File().Name(), w.File().View().Err()) }()
	_, err := w.Write(first)
	if err == nil && !up.ended {
		_, err = w.ReadFrom(up)
	}
	if err != nil {
		reason := m.uploadError(err)
		w.Abort(reason)
		return nil, reason
	}
	up.done()
	replaces := w.Replaces()
	err = w.Close()
	switch {
	case errors.Is(err, segstore.ErrKept), errors.Is(err, segstore.ErrDeleted):
		return m.notKept(req), nil
	case m.cfg.Sync && errors.Is(err, segstore.ErrUnsaved):
		m.metrics.uploadComplete.Inc()
		e := fail(http.StatusInsufficientStorage, "The file is served, but it is not saved: the disk failed.")
		e.err = err
		return nil, e
	case err != nil && w.File().View().State() != segstore.Complete:
		return nil, m.uploadError(err)
	}
	m.metrics.uploadComplete.Inc()
	if replaces {
		return uploaded(http.StatusNoContent, req), nil
	}
	return uploaded(http.StatusCreated, req), nil
}

func uploaded(status int, req *request) *reply {
	r := newReply(status)
	r.header.Set("Content-Location", (&url.URL{Path: req.path}).EscapedPath())
	return r
}

// notKept answers an upload that came in whole and is not what the name stands
// for: the policy keeps another, or the file was deleted meanwhile.
func (m *mount) notKept(req *request) *reply {
	m.metrics.uploadKept.Inc()
	return uploaded(http.StatusOK, req)
}

// discard reads an upload that the policy does not keep, to its end: the sender
// did nothing wrong, and would resend what it thinks failed.
func (m *mount) discard(req *request, up *upload) (*reply, error) {
	if !up.ended {
		if _, err := io.Copy(io.Discard, up); err != nil {
			return nil, m.uploadError(err)
		}
	}
	up.done()
	return m.notKept(req), nil
}

// uploadError is uploadFailure of an upload that is counted.
func (m *mount) uploadError(err error) error {
	m.metrics.uploadFailed.Inc()
	return uploadFailure(&m.cfg, err)
}

// uploadFailure tells the kinds of failure apart. The result is both the reason
// that readers get and the reply to the sender.
func uploadFailure(cfg *Mount, err error) *httpError {
	var e *httpError
	var netErr net.Error
	switch {
	case errors.Is(err, errTooLarge):
		e = tooLarge(int64(cfg.MaxUpload))
	case errors.Is(err, os.ErrDeadlineExceeded):
		e = fail(http.StatusRequestTimeout, "Nothing came for %s.", cfg.UploadTimeout)
		err = errStalled
	case errors.Is(err, segstore.ErrLength):
		e = fail(http.StatusBadRequest, "The upload differs from its Content-Length.")
	case errors.Is(err, segstore.ErrOverBudget), errors.Is(err, segstore.ErrClosed), errors.Is(err, segstore.ErrDeleted):
		e = asHTTPError(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.As(err, &netErr),
		errors.Is(err, context.Canceled), isStreamError(err):
		e = fail(statusGone, "The upload broke off.")
		err = fmt.Errorf("%w: %w", errSender, err)
	default:
		e = fail(http.StatusBadRequest, "The upload is not valid HTTP.")
	}
	e.close, e.err = true, err
	return e
}

// delete removes a file.
func (m *mount) delete(ctx context.Context, req *request, name string) (*reply, error) {
	if err := m.mayWrite(ctx, req, name); err != nil {
		return nil, err
	}
	if req.dir || m.store == nil {
		return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
	}
	if err := m.checkBefore(req, name); err != nil {
		return nil, err
	}
	if err := m.store.Delete(name); err != nil {
		var missing *segstore.MissingError
		if errors.As(err, &missing) {
			return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
		}
		return nil, err
	}
	return newReply(http.StatusOK), nil
}
