package origin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/headwater-origin/headwater/origin/script"
	"github.com/headwater-origin/headwater/segstore"
)

// httpError is an error that knows how the client is told of it.
type httpError struct {
	status int
	kind   replyKind   // for the caching headers; kindError unless it is about a missing file
	detail string      // one sentence for the client: what is wrong and what to do
	header http.Header // further headers, or nil
	close  bool        // the request body was not read to its end
	err    error       // for the log, or nil
	logged bool        // the log has it already
	script *script.Answer
}

func (e *httpError) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return e.detail
}

func (e *httpError) Unwrap() error { return e.err }

// fail returns an error that the client sees as the status and the sentence.
func fail(status int, format string, args ...any) *httpError {
	return &httpError{status: status, kind: kindError, detail: fmt.Sprintf(format, args...)}
}

// statusGone is for the log alone: the client went before it had its answer.
const statusGone = 499

// asHTTPError maps every error of the packages below to a status.
func asHTTPError(err error) *httpError {
	var known *httpError
	if errors.As(err, &known) {
		return known
	}
	var missing *segstore.MissingError
	if errors.As(err, &missing) {
		return missingError(missing)
	}
	e := storeError(err)
	e.err = err
	return e
}

func storeError(err error) *httpError {
	switch {
	case errors.Is(err, segstore.ErrName):
		return fail(http.StatusBadRequest, "The path is not a usable file name.")
	case errors.Is(err, segstore.ErrIsDir):
		return fail(http.StatusConflict, "The path is a directory.")
	case errors.Is(err, segstore.ErrReadOnly):
		return notWritable()
	case errors.Is(err, segstore.ErrOverBudget):
		return fail(http.StatusInsufficientStorage, "The memory budget is used up by files that are still needed: raise memory or max_bytes, or lower max_cache_segs.")
	case errors.Is(err, segstore.ErrTooManyWaiters):
		e := fail(http.StatusServiceUnavailable, "Too many requests wait for files to come.")
		e.header = http.Header{"Retry-After": {"1"}}
		return e
	case errors.Is(err, segstore.ErrClosed):
		e := fail(http.StatusServiceUnavailable, "The server is stopping.")
		e.header = http.Header{"Retry-After": {"1"}}
		return e
	case errors.Is(err, context.Canceled):
		return fail(statusGone, "The client went away.")
	}
	return fail(http.StatusInternalServerError, "The server could not answer; its log says why.")
}

// missingError tells a file that is still to come from one that has gone and
// from one that never was: a cache may keep the second answer long, the first
// not at all.
func missingError(m *segstore.MissingError) *httpError {
	e := fail(http.StatusNotFound, "There is no such file.")
	switch m.Reason {
	case segstore.Next, segstore.Future:
		e.kind = kindFuture
		e.detail = "The file is still to come."
	case segstore.Evicted:
		e.kind = kindEvicted
		e.detail = "The file has left the window that is kept."
	case segstore.Never:
		e.kind = kindNever
	}
	return e
}

func notWritable() *httpError {
	e := fail(http.StatusMethodNotAllowed, "This mount takes no uploads: set write on it in the configuration.")
	e.header = http.Header{"Allow": {allowRead}}
	return e
}

func (m *mount) notReadable() error {
	e := fail(http.StatusMethodNotAllowed, "What is uploaded here is not served here.")
	e.header = http.Header{"Allow": {m.allowed()}}
	return e
}

// errorReply makes the reply for an error: application/problem+json (RFC 9457)
// for who asks for it, else one line of text.
func errorReply(req *request, e *httpError) *reply {
	r := newReply(e.status)
	r.kind, r.close, r.script = e.kind, e.close, e.script
	for k, v := range e.header {
		r.header[k] = v
	}
	r.header.Set("X-Content-Type-Options", "nosniff")
	r.header.Add("Vary", "Accept")
	if wantsProblem(req.header.Get("Accept")) {
		r.header.Set("Content-Type", "application/problem+json")
		r.body = problem(e)
		return r
	}
	r.header.Set("Content-Type", "text/plain; charset=utf-8")
	r.body = bytesBody(e.detail + "\n")
	return r
}

func problem(e *httpError) bytesBody {
	text, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(e.status), e.status, e.detail})
	if err != nil { // strings and an int always marshal
		panic(err)
	}
	return append(text, '\n')
}

func wantsProblem(accept string) bool {
	accept = strings.ToLower(accept)
	return strings.Contains(accept, "application/problem+json") || strings.Contains(accept, "application/json")
}
