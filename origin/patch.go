package origin

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/headwater-origin/headwater/segstore"
)

// partial says that an upload is to change a part of a file: by Content-Range
// (RFC 9110 section 14.5), or by Range as httpout has it.
func partial(req *request) bool {
	return req.header.Get("Content-Range") != "" || req.header.Get("Range") != ""
}

// patch changes a part of a file. Nobody sees anything of it before all of it
// has come; one that fails changes nothing.
func (m *mount) patch(req *request, name string, up *upload) (*reply, error) {
	change, err := m.change(req, up.length)
	if err != nil {
		return nil, closing(err)
	}
	if req.dir {
		return nil, closing(fail(http.StatusBadRequest, "An upload needs a file name."))
	}
	w, err := m.store.Patch(name, change)
	if err != nil {
		return nil, closing(m.patchError(name, err))
	}
	m.metrics.uploading.Inc()
	defer m.metrics.uploading.Dec()
	if _, err = io.Copy(w, up); err != nil {
		reason := m.uploadError(err)
		w.Abort(reason)
		return nil, reason
	}
	up.done()
	if err := w.Close(); err != nil && w.File() == nil {
		m.metrics.uploadFailed.Inc()
		return nil, m.patchError(name, err)
	}
	m.metrics.uploadComplete.Inc()
	if w.Replaces() {
		return uploaded(http.StatusNoContent, req), nil
	}
	return uploaded(http.StatusCreated, req), nil
}

// change returns what the headers say is to be changed.
func (m *mount) change(req *request, length int64) (segstore.Change, error) {
	c := segstore.Change{ContentType: req.header.Get("Content-Type")}
	content, ranges := req.header.Get("Content-Range"), req.header.Get("Range")
	if content != "" && ranges != "" {
		return c, fail(http.StatusBadRequest, "An upload has Content-Range or Range, not both.")
	}
	var total int64
	if content != "" {
		sp, ok := parseContentRange(content)
		if !ok {
			return c, fail(http.StatusBadRequest, "The Content-Range is not of the form: bytes FIRST-LAST/LENGTH, or with * for the length.")
		}
		c.Spans, c.Create = []segstore.Span{sp}, true
		total = sp.To - sp.From
	} else {
		var ok bool
		if c.Spans, total, ok = parseUploadRange(ranges); !ok {
			return c, fail(http.StatusBadRequest, "The Range of an upload is not of the form: bytes=FIRST-LAST, or several of them with commas between; only the last may be bytes=FIRST-.")
		}
	}
	if length >= 0 && total >= 0 && length != total {
		return c, fail(http.StatusBadRequest, "The Content-Length is not that of the ranges.")
	}
	return c, nil
}

// parseContentRange reads bytes FIRST-LAST/LENGTH.
func parseContentRange(header string) (sp segstore.Span, ok bool) {
	unit, rest, _ := strings.Cut(header, " ")
	ends, length, hasLength := strings.Cut(strings.TrimSpace(rest), "/")
	b, ok := parseOneRange(ends)
	if !strings.EqualFold(unit, "bytes") || !hasLength || !ok || b.suffix() || b.open() {
		return sp, false
	}
	if length != "*" {
		if n, err := strconv.ParseInt(length, 10, 64); err != nil || b.to >= n || !isDigits(length) {
			return sp, false
		}
	}
	return segstore.Span{From: b.from, To: b.to + 1}, true
}

// parseUploadRange reads httpout's form. total is -1 when the last has no end.
func parseUploadRange(header string) (spans []segstore.Span, total int64, ok bool) {
	ranges, err := parseRange(header)
	if err != nil {
		return nil, 0, false
	}
	for i, b := range ranges {
		switch {
		case b.suffix(), b.open() && i < len(ranges)-1:
			return nil, 0, false
		case b.open():
			return append(spans, segstore.Span{From: b.from, To: segstore.ToEnd}), -1, true
		}
		spans = append(spans, segstore.Span{From: b.from, To: b.to + 1})
		total += b.to + 1 - b.from
	}
	return spans, total, true
}

func (m *mount) patchError(name string, err error) error {
	var e *httpError
	switch {
	case errors.Is(err, segstore.ErrGrowing):
		e = fail(http.StatusConflict, "The file is being uploaded; a part of it can be changed once it is whole.")
	case errors.Is(err, segstore.ErrChanged):
		e = fail(http.StatusConflict, "The file has changed meanwhile: ask for it again, and send the part anew.")
	case errors.Is(err, segstore.ErrGap):
		e = fail(http.StatusRequestedRangeNotSatisfiable, "The range begins behind the end of the file.")
		if f, lookErr := m.store.Lookup(name); lookErr == nil {
			e.header = http.Header{"Content-Range": {"bytes */" + strconv.FormatInt(f.View().Size(), 10)}}
		}
	case errors.Is(err, segstore.ErrSpan):
		e = fail(http.StatusBadRequest, "The ranges cannot be used.")
	case errors.Is(err, segstore.ErrLength):
		e = fail(http.StatusBadRequest, "The upload has more or fewer bytes than its ranges.")
	default:
		return err
	}
	e.err = err
	return e
}
