package push

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// FatalError ends Run: a destination without KA has failed.
type FatalError struct {
	URL string // without credentials and query
	Err error
}

func (e *FatalError) Error() string { return fmt.Sprintf("push to %s: %v", e.URL, e.Err) }

// Unwrap returns what failed.
func (e *FatalError) Unwrap() error { return e.Err }

// quiet lets a thing be said once in a while.
type quiet struct {
	gap time.Duration // static

	mu   sync.Mutex // guards the rest
	last map[string]time.Time
}

func (q *quiet) may(what string) bool {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if at, ok := q.last[what]; ok && now.Sub(at) < q.gap {
		return false
	}
	if q.last == nil {
		q.last = make(map[string]time.Time)
	}
	q.last[what] = now
	return true
}

// topic is what an error is about, for quiet.
func topic(err error) string {
	var status *StatusError
	if errors.As(err, &status) {
		return fmt.Sprint(status.Code)
	}
	return "connection"
}

// tell logs how a job ended.
func (d *dest) tell(j *job, err error) {
	switch {
	case err == nil:
		d.log.Debug("pushed", "file", j.name, "bytes", j.bytes)
	case errors.Is(err, errStopped), errors.Is(err, errReplaced):
		d.log.Debug("not pushed", "file", j.name, "err", err)
	case errors.Is(err, errStale), errors.Is(err, errHeld):
		if d.said.may("skipped") {
			d.log.Warn("push lags behind: segments are skipped", "file", j.name, "err", err)
		}
	case errors.As(err, new(*SourceError)):
		d.log.Debug("push broken off", "file", j.name, "err", err)
	default:
		if d.said.may("failed " + topic(err)) {
			d.log.Error("push failed", "file", j.name, "err", err, "hint", hint(err))
		}
	}
}

// tellRetry logs a failed attempt.
func (d *dest) tellRetry(j *job, err error) {
	var status *StatusError
	if errors.As(err, &status) && status.Location != "" {
		d.log.Debug("push redirected", "file", j.name, "err", err)
		return
	}
	if retryable(err) && d.said.may("retry "+topic(err)) {
		d.log.Warn("push failed; trying again", "file", j.name, "err", err)
	}
}

// hint says what an operator can do about a refusal.
func hint(err error) string {
	var status *StatusError
	switch {
	case hopeless(err):
		return "nothing was sent"
	case !errors.As(err, &status):
		return "check that the server runs and can be reached"
	case status.at != "" && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		return "credentials are not sent to another host than that of the URL: push to that host itself"
	}
	switch status.Code {
	case http.StatusUnauthorized:
		return "the server wants other credentials: check user and password, or the bearer token"
	case http.StatusForbidden:
		return "the server does not let us write there: check credentials, path and the addresses it takes uploads from"
	case http.StatusNotFound, http.StatusConflict:
		return "the server has no such directory: it must exist, or be made on upload"
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "the server does not take this method there: try POST for PUT"
	case http.StatusRequestEntityTooLarge:
		return "the file is larger than the server takes"
	}
	return "see the server's log"
}
