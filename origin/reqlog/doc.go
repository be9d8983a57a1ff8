// Package reqlog writes down what was asked and how it was answered: short lines
// for who looks on (httpout's reqlog), and lines of JSON for programs (the
// access log). What a client sends stays in its place: a path cannot begin a new
// line or end a field. Queries and credentials are not written.
//
// Who logs is never held up: lines for the access log go through a bounded
// queue to one goroutine, and those that find no room are counted.
package reqlog

import (
	"fmt"
	"strings"
	"time"
)

// Entry is a request, and once it has ended what became of it.
type Entry struct {
	ID        int64 // unique in the process
	Time      time.Time
	Peer      string
	User      string // who has logged in, or ""
	Method    string
	Path      string // without the query
	Proto     string
	TLS       bool
	Range     string
	Referer   string
	UserAgent string
	Mount     string

	Status   int
	Bytes    int64 // of content that was sent
	Duration time.Duration
	Aborted  bool // not all of the reply went out
}

// Filter says which requests are logged. The zero value is for none.
type Filter struct {
	all, record, noEnd bool
	methods            map[string]bool
}

// words are the methods by the names that httpout has for them.
var words = map[string]string{
	"GET": "GET", "HEAD": "HEAD", "PUT": "PUT", "POST": "POST",
	"DEL": "DELETE", "DELETE": "DELETE", "OPT": "OPTIONS", "OPTIONS": "OPTIONS",
}

// Parse reads httpout's reqlog: methods with commas between, * for all, REC for
// files that are written, and - before all that for no line at the end.
func Parse(spec string) (Filter, error) {
	var f Filter
	spec, f.noEnd = strings.CutPrefix(spec, "-")
	if spec == "" && !f.noEnd {
		return Filter{}, nil
	}
	f.methods = make(map[string]bool)
	for word := range strings.SplitSeq(spec, ",") {
		switch name := strings.ToUpper(strings.TrimSpace(word)); {
		case name == "*":
			f.all = true
		case name == "REC":
			f.record = true
		case words[name] != "":
			f.methods[words[name]] = true
		default:
			return Filter{}, fmt.Errorf("%q is none of *, GET, HEAD, PUT, POST, DEL, OPT, REC", word)
		}
	}
	return f, nil
}

// Start says whether the beginning of such a request is logged.
func (f Filter) Start(method string) bool { return f.all || f.methods[method] }

// End says whether its end is.
func (f Filter) End(method string) bool { return f.Start(method) && !f.noEnd }

// Rec says whether files that are written are.
func (f Filter) Rec() bool { return f.record }
