package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/headwater-origin/headwater/origin/access"
	"github.com/headwater-origin/headwater/origin/compress"
	"github.com/headwater-origin/headwater/origin/script"
	"github.com/headwater-origin/headwater/segstore"
)

// stopGrace is how long uploads and viewers under way may go on when the
// server is told to stop.
const stopGrace = 10 * time.Second

// Server is an origin: its mounts and its listeners. Make it with New.
type Server struct {
	// Static after construction.
	cfg       Config
	users     *access.Users // nil: none
	zcache    *compress.Cache
	stores    *storeSet
	mounts    mounts
	metrics   *metrics
	log       *slog.Logger
	listeners []boundListener
	admin     *boundListener // nil: none

	grace  time.Duration
	base   context.Context // done when what is under way is cut
	cut    context.CancelFunc
	open   context.Context // done when no more connections are taken
	shut   context.CancelFunc
	crowds *crowds

	followers followers
	conns     *connections
	h3        []*h3Server
	altSvc    string // the value of Alt-Svc, or ""
	tasks     tasks
	logs      logs
	pushers   []mountPusher
	script    *script.Engine // nil: none
	closers   []func() error // what is closed last, in the reverse order
}

// New opens the mounts and binds the listeners. Its errors name the mount or
// the address. cfg must be valid (Config.Validate). Run serves, and closes what
// New opened.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	s := &Server{cfg: cfg, log: log, metrics: newMetrics(), grace: stopGrace}
	s.base, s.cut = context.WithCancel(context.Background())
	s.open, s.shut = context.WithCancel(context.Background())
	s.crowds = newCrowds(s.base)
	s.conns = newConnections(&cfg)
	s.zcache = compress.New(zcacheBytes)
	s.stores = newStores(&s.cfg, log, s.metrics.unread, s.observers)
	s.tasks.log = log
	for _, open := range []func() error{s.openLogs, s.openUsers, s.openScript} {
		if err := open(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	waiting := make(chan struct{}, cfg.MaxWaiters)
	planned, err := s.plan()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.cfg.Mounts = nil
	for _, p := range planned {
		s.cfg.Mounts = append(s.cfg.Mounts, p.Mount)
	}
	for _, p := range planned {
		m, err := s.newMount(p, waiting)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.mounts = append(s.mounts, m)
	}
	s.mounts.merge()
	s.mounts.sort()
	s.metrics.registry.MustRegister(storeCollector{s.stores.all}, pushCollector{s.pushers})
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// Stats returns figures of now.
func (s *Server) Stats() Stats {
	var out Stats
	for _, m := range s.mounts {
		out.Viewers += int(gaugeValue(m.metrics.viewers))
		out.Uploads += int(gaugeValue(m.metrics.uploading))
	}
	return out
}

// answer decides the reply to a request; err is what was already wrong with it.
// It returns the mount it is about, or nil. This is the one place where errors
// become replies, and where headers that every reply has are set.
func (s *Server) answer(ctx context.Context, req *request, err error, up *upload) (*reply, *mount) {
	var rep *reply
	m := s.mounts.find(req.path, req.writes())
	switch {
	case err != nil:
	case s.script != nil:
		rep, err = s.scripted(ctx, req, m, up)
	default:
		rep, err = s.unscripted(ctx, req, m, up)
	}
	if err != nil {
		e := asHTTPError(err)
		s.logError(req, e)
		rep = errorReply(req, e)
	}
	s.setCommon(req, rep)
	if m != nil {
		m.setCommon(req, rep)
	} else {
		caching(defaultCaching).set(rep.header, rep.kind)
	}
	addScriptHeaders(rep)
	setHeaders(rep.header, s.cfg.Headers)
	if m != nil {
		setHeaders(rep.header, m.cfg.Headers)
	}
	return rep, m
}

// unscripted is the answer of the server alone.
func (s *Server) unscripted(ctx context.Context, req *request, m *mount, up *upload) (*reply, error) {
	if m == nil {
		return s.listPoints(req)
	}
	return m.answer(ctx, req, up)
}

// logError logs what an operator may have to act on, at a level that tells.
func (s *Server) logError(req *request, e *httpError) {
	level := slog.LevelDebug
	upload := req.method == http.MethodPut || req.method == http.MethodPost
	switch {
	case errors.Is(e, segstore.ErrClosed), errors.Is(e, script.ErrStopped): // the server stops: what waits is sent away
	case e.logged:
	case e.status >= 500 && e.status != http.StatusNotImplemented:
		level = slog.LevelError
	case upload:
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "request failed", "method", req.method, "path", shortened(req.path),
		"peer", req.peer.String(), "status", e.status, "err", e.Error())
}

// Run serves until ctx is done; then it takes no more connections, lets what
// is under way go on for some seconds, and closes everything. It returns nil
// unless a listener failed.
func (s *Server) Run(ctx context.Context) error {
	back := newHandback(time.Duration(s.cfg.Timeout))
	public := s.httpServer(&netLane{server: s, back: back})
	public.ConnState = func(c net.Conn, state http.ConnState) {
		back.observe(c, state)
		s.conns.observe(c, state)
	}
	public.RegisterOnShutdown(back.closeIdle)
	admin := s.httpServer(s.adminHandler())
	failed := make(chan error, len(s.listeners)+len(s.h3)+2)
	serve := func(srv *http.Server, l net.Listener) {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
			return
		}
		failed <- nil
	}
	running := 1
	go serve(public, back)
	for _, l := range s.listeners {
		running++
		s.log.Info("listening", "url", l.url())
		go serve(public, l)
	}
	running += s.serveH3(public.Handler, failed)
	if s.admin != nil {
		running++
		s.log.Info("listening for the admin", "admin_url", s.admin.url())
		go serve(admin, s.admin)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	if s.cfg.Quit {
		s.tasks.add("quit", func(open context.Context) error { return s.quit(open, end) })
	}
	s.tasks.start(s.open)
	var err error
	select {
	case <-ctx.Done():
		s.log.Info("stopping", "grace", s.grace)
	case err = <-failed:
		running--
	}
	s.stop(public, admin)
	for ; running > 0; running-- {
		err = errors.Join(err, <-failed)
	}
	return errors.Join(err, s.close())
}

// stop ends the servers: gracefully for some seconds, then at once.
func (s *Server) stop(servers ...*http.Server) {
	s.shut()
	ctx, done := context.WithTimeout(context.Background(), s.grace)
	defer done()
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			s.log.Warn("not all requests ended in time", "err", err)
		}
	}
	s.stopH3(ctx)
	s.followers.wait(ctx)
	s.cut()
	for _, srv := range servers {
		_ = srv.Close() // what is left is cut
	}
	s.followers.wait(context.Background()) // their context is done: they end
	s.tasks.wait()
}

// close closes what New opened; listeners that were served are closed already.
func (s *Server) close() error {
	s.shut()
	s.cut()
	for _, l := range s.listeners {
		_ = l.Close() // a second close says so
	}
	if s.admin != nil {
		_ = s.admin.Close() // likewise
	}
	for _, h := range s.h3 {
		_ = h.conn.Close() // likewise
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	err := s.stores.close(ctx)
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c())
	}
	s.closers = nil
	return err
}

// shortened bounds what a client can have written to the log.
func shortened(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return path[:most] + "..."
}
