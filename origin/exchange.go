package origin

import (
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/headwater-origin/headwater/origin/reqlog"
)

// logs are what is written down of requests; the zero value writes nothing.
type logs struct {
	short   *reqlog.Logger // nil: none
	access  *reqlog.Access // nil: none
	numbers atomic.Int64
}

// exchange is a request that is written down. nil is one that is not.
type exchange struct {
	logs  *logs
	id    int64
	began time.Time
	r     *http.Request
	req   *request
}

// begin notes that a request has come.
func (s *Server) begin(r *http.Request, req *request) *exchange {
	l := &s.logs
	if l.short == nil && l.access == nil {
		return nil
	}
	ex := &exchange{logs: l, id: l.numbers.Add(1), began: time.Now(), r: r, req: req}
	if l.short != nil {
		l.short.Start(ex.entry())
	}
	return ex
}

// end notes how it ended; aborted says that not all of the reply went out.
func (ex *exchange) end(rep *reply, m *mount, bytes int64, aborted bool) {
	if ex == nil {
		return
	}
	e := ex.entry()
	e.Status, e.Bytes, e.Duration, e.Aborted = rep.status, bytes, time.Since(ex.began), aborted
	if m != nil {
		e.Mount = m.cfg.Path
	}
	if ex.logs.short != nil {
		ex.logs.short.End(e)
	}
	if ex.logs.access != nil {
		ex.logs.access.Log(e)
	}
}

func (ex *exchange) entry() reqlog.Entry {
	return reqlog.Entry{
		ID: ex.id, Time: ex.began, Peer: ex.req.peer.String(), Method: ex.req.method, Path: ex.req.path,
		Proto: ex.r.Proto, TLS: ex.req.tls, Range: ex.req.header.Get("Range"), Referer: ex.req.header.Get("Referer"),
		UserAgent: ex.req.header.Get("User-Agent"), User: ex.req.user,
	}
}

// openLogs opens what the configuration asks for.
func (s *Server) openLogs() error {
	if s.cfg.ReqLog != "" {
		filter, err := reqlog.Parse(s.cfg.ReqLog)
		if err != nil {
			return fmt.Errorf("reqlog: %w", err)
		}
		s.logs.short = reqlog.NewLogger(filter, s.log)
	}
	if s.cfg.AccessLog == "" {
		return nil
	}
	access, err := reqlog.OpenAccess(s.cfg.AccessLog, os.Stdout, s.log)
	if err != nil {
		return err
	}
	s.logs.access = access
	s.closers = append(s.closers, access.Close)
	return nil
}

// opened and closed note a file that is written (REC).
func (m *mount) opened(name string) {
	if m.recorder != nil {
		m.recorder.Opened(name)
	}
}

func (m *mount) closed(name string, err error) {
	if m.recorder != nil {
		m.recorder.Closed(name, err)
	}
}
