package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds how long a server may make a push wait.
const maxRetryAfter = 30 * time.Second

// StatusError is an answer that is not a success.
type StatusError struct {
	Code int
	// RetryAfter is how long the server asks to wait, at most 30 s; 0 if it
	// does not say.
	RetryAfter time.Duration
	// Location is where a redirect (307, 308) leads that could not be followed,
	// because a part of the body was sent.
	Location string

	at string // the other host that a redirect led to, or ""
}

func (e *StatusError) Error() string {
	who := "the server"
	if e.at != "" {
		who = e.at + ", where a redirect led,"
	}
	return fmt.Sprintf("%s answered %d %s", who, e.Code, http.StatusText(e.Code))
}

// SourceError is why a body came to no end: the request was broken off on
// purpose, and the server is not to blame.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return "the source broke off: " + e.Err.Error() }

// Unwrap returns the source's error.
func (e *SourceError) Unwrap() error { return e.Err }

var (
	// ErrStalled is wrapped when a server took nothing for the Timeout.
	ErrStalled = errors.New("the server made no progress")
	// ErrEarlyAnswer is wrapped when a success was answered before the body had
	// ended: the server cannot have the whole file.
	ErrEarlyAnswer = errors.New("the answer came before the end of the file")
)

// Redirects that are not followed.
var (
	errBadRedirect   = errors.New("the server redirects to what is no URL of HTTP")
	errPlainRedirect = errors.New("the server redirects from https to http, which is not followed")
)

// nameError is a name that cannot be put behind a URL.
type nameError string

func (e nameError) Error() string {
	return fmt.Sprintf("the name %q has an empty part, . or .. in it", string(e))
}

// errBroken is for a connection that was closed while its request waited for
// the source.
var errBroken = errors.New("the connection broke")

// Why an upload was given up on purpose.
var (
	errStale    = errors.New("too many newer segments")
	errReplaced = errors.New("a newer version has come")
	errHeld     = errors.New("too many bytes wait for this server")
	errStopped  = errors.New("the push is stopped")
)

func parseRetryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		wait = time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// retryable says whether a further attempt may succeed.
func retryable(err error) bool {
	var status *StatusError
	if !errors.As(err, &status) {
		return !errors.As(err, new(*SourceError)) && !hopeless(err)
	}
	switch status.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusPreconditionFailed: // the init segment is missing (DASH-IF ingest)
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status.Code >= 500
}

// hopeless says that an attempt ended for what will not change.
func hopeless(err error) bool {
	return errors.As(err, new(nameError)) || errors.Is(err, errBadRedirect) || errors.Is(err, errPlainRedirect)
}

// lostContact says that the connection failed: no answer tells what the server
// still has.
func lostContact(err error) bool {
	return !errors.As(err, new(*StatusError)) && !errors.As(err, new(*SourceError)) && !hopeless(err) &&
		!errors.Is(err, ErrEarlyAnswer) && !errors.Is(err, errLagged) && !errors.Is(err, context.Canceled)
}
