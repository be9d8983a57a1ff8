package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/access"
	"github.com/headwater-origin/headwater/origin/compress"
	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/origin/relay"
	"github.com/headwater-origin/headwater/origin/reqlog"
	"github.com/headwater-origin/headwater/origin/source"
	"github.com/headwater-origin/headwater/segstore"
)

// mount is one path prefix, the store behind it and the policy before it.
// All of it is static after construction.
type mount struct {
	cfg      Mount
	writers  Peers
	store    *segstore.Store // nil where nothing is stored
	recorder *reqlog.Logger  // nil: files that are written are not logged
	users    access.Verifier // nil: nobody
	rights   func(name string) *access.Rights
	ruled    bool            // the rights are a rule file's
	zcache   *compress.Cache // the server's
	relay    *relay.Relay    // nil where nothing is relayed
	source   *source.Output  // nil where uploads are stored
	pusher   *push.Pusher    // nil where nothing is sent on
	next     *mount          // what is not here is looked for there; or nil
	caching  caching
	points   func(path string) []segstore.Entry // the mounts below a path
	block    int64                              // bytes of one write to a viewer who catches up
	waiting  chan struct{}                      // a place for each request that is held, over all mounts
	stop     context.Context                    // done when the server takes no more: nothing is held any longer
	metrics  *mountMetrics
	log      *slog.Logger
}

func (s *Server) newMount(p plannedMount, waiting chan struct{}) (*mount, error) {
	cfg := p.Mount
	cfg.Read = cfg.Read && !cfg.Source.used() // there is nothing to read
	writers, err := ParsePeers(cfg.writeFrom())
	if err != nil {
		return nil, fmt.Errorf("mount %s: write_from: %w", cfg.Path, err)
	}
	m := &mount{
		cfg: cfg, writers: writers, caching: newCaching(cfg.CacheControl), block: int64(s.cfg.BlockSize),
		zcache: s.zcache, recorder: s.logs.short, waiting: waiting, stop: s.open, metrics: s.metrics.mount(cfg.Path), log: s.log.With("mount", cfg.Path),
	}
	m.points = func(path string) []segstore.Entry { return s.mounts.points(path) }
	rights := cfg.rights()
	m.rights = func(string) *access.Rights { return rights }
	if p.rules != nil {
		m.ruled = true
		m.rights = func(name string) *access.Rights { return p.rules.Rights(cfg.Store, name) }
	}
	if s.users != nil {
		m.users = s.users
	}
	if m.store, err = s.stores.open(&cfg); err != nil {
		return nil, err
	}
	m.pusher = s.pusherOf(&cfg)
	if m.relay, err = newRelay(&cfg, m); m.relay != nil {
		s.tasks.add("relay "+cfg.Path, m.relay.Run)
	}
	if err == nil {
		m.source, err = s.newSource(&cfg, m)
	}
	if err == nil {
		err = s.watch(m)
	}
	return m, err
}

// answer decides the reply to a request for a name of this mount.
func (m *mount) answer(ctx context.Context, req *request, up *upload) (*reply, error) {
	name := m.nameOf(req)
	if req.method == http.MethodGet || req.method == http.MethodHead {
		if err := m.mayRead(ctx, req, name); err != nil {
			return nil, err
		}
	}
	if m.relay != nil && req.method != http.MethodOptions && !knownMethod(req.method) {
		return m.relayed(ctx, req, name, up)
	}
	switch req.method {
	case http.MethodGet, http.MethodHead:
		if !m.cfg.Read {
			return nil, m.notReadable()
		}
		rep, err := m.read(ctx, req, name)
		var missing *segstore.MissingError
		if m.next != nil && errors.As(err, &missing) {
			return m.next.answer(ctx, req, up)
		}
		return rep, err
	case http.MethodPut, http.MethodPost:
		if m.source != nil {
			return m.give(ctx, req, name, up)
		}
		return m.put(ctx, req, name, up)
	case http.MethodDelete:
		return m.delete(ctx, req, name)
	case http.MethodOptions:
		return m.options(req), nil
	}
	e := fail(http.StatusNotImplemented, "The method is not one that this server has.")
	if knownMethod(req.method) {
		e.status = http.StatusMethodNotAllowed
	}
	e.header = http.Header{"Allow": {m.allowed()}}
	return nil, e
}

// nameOf returns the name in the mount that the request is about.
func (m *mount) nameOf(req *request) string {
	return strings.TrimPrefix(strings.TrimPrefix(req.path, m.cfg.Path), "/")
}

// read answers GET and HEAD.
func (m *mount) read(ctx context.Context, req *request, name string) (*reply, error) {
	if req.dir || name == "" && m.cfg.Path == "/" {
		return m.directory(ctx, req, name)
	}
	if name == "" && (m.cfg.List || len(m.cfg.Index) > 0) {
		return toDirectory(req), nil
	}
	rep, err := m.get(ctx, req, name)
	if err != nil {
		rep, err = m.orDirectory(req, name, err)
	}
	return rep, err
}

func knownMethod(method string) bool {
	switch method {
	case http.MethodPatch, http.MethodTrace, http.MethodConnect:
		return true
	}
	return false
}

// hold takes a place among the requests that wait for files to come. The
// context it returns ends after the time given, for the reason given, and when
// the server stops.
func (m *mount) hold(ctx context.Context, most time.Duration, reason error) (held context.Context, release func(), err error) {
	select {
	case m.waiting <- struct{}{}:
	default:
		return nil, nil, segstore.ErrTooManyWaiters
	}
	m.metrics.held.Inc()
	ctx, cancel := context.WithTimeoutCause(ctx, most, reason)
	ctx, cancelCause := context.WithCancelCause(ctx)
	forget := context.AfterFunc(m.stop, func() { cancelCause(segstore.ErrClosed) })
	return ctx, func() {
		forget()
		cancelCause(nil)
		cancel()
		<-m.waiting
	}, nil
}

// mounts are sorted so that the first whose path is a prefix is the most
// specific one.
type mounts []*mount

func (ms mounts) sort() {
	sort.SliceStable(ms, func(i, j int) bool { return len(ms[i].cfg.Path) > len(ms[j].cfg.Path) })
}

// find returns the mount of a path, comparing whole path segments: the one with
// the longest path. Where two have it, one is only read and one only written. An
// upload that the longest does not take goes to a mount that is only written,
// if there is one above.
func (ms mounts) find(path string, writes bool) *mount {
	var first *mount
	for _, m := range ms {
		if !m.above(path) {
			continue
		}
		if first == nil {
			first = m
		}
		same := len(m.cfg.Path) == len(first.cfg.Path)
		switch {
		case writes && m.cfg.Write && (same || !m.cfg.Read):
			return m
		case !writes && m.cfg.Read && same:
			return m
		}
	}
	return first
}

// above says that the path is the mount's or below it.
func (m *mount) above(path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(m.cfg.Path, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// rangeWait is how long a closed range of a growing file waits for its bytes.
func (m *mount) rangeWait() time.Duration {
	return max(time.Duration(m.cfg.HoldTimeout), time.Duration(m.cfg.UploadTimeout))
}
