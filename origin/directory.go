package origin

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/headwater-origin/headwater/origin/listing"
	"github.com/headwater-origin/headwater/segstore"
)

// directory answers GET of a path with a slash at its end: with an index file,
// if there is one, else with a list of what is there, if the mount lists.
func (m *mount) directory(ctx context.Context, req *request, name string) (*reply, error) {
	for _, index := range m.cfg.Index {
		if f, err := m.store.Lookup(path.Join(name, index)); err == nil {
			return m.getFile(ctx, req, f)
		}
	}
	if !m.cfg.List {
		return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
	}
	entries, err := m.store.List(name)
	truncated := errors.Is(err, segstore.ErrTruncated)
	points := m.points(req.path)
	switch {
	case errors.Is(err, segstore.ErrNotDir), errors.Is(err, segstore.ErrName):
		return nil, &segstore.MissingError{Name: name, Reason: segstore.Never}
	case err != nil && !truncated && len(points) == 0:
		return nil, err
	}
	return listed(req, m.cfg.Path, entries, points, truncated)
}

// listed is the reply with a list of a directory, and of the mounts below it.
func listed(req *request, top string, entries, points []segstore.Entry, truncated bool) (*reply, error) {
	seen := map[string]bool{}
	for _, p := range points {
		seen[p.Name] = true
	}
	for _, e := range entries {
		if !seen[e.Name] {
			points = append(points, e)
		}
	}
	query, _ := url.ParseQuery(req.query) // what of it makes no sense is not asked for
	page := listing.Page{
		Path: strings.TrimSuffix(req.path, "/") + "/", Parent: req.path != top && req.path != "/",
		Entries: points, Truncated: truncated,
	}
	r := newReply(http.StatusOK)
	r.kind = kindFuture // it changes with each upload
	r.header.Set("Vary", "Accept")
	r.header.Set("X-Content-Type-Options", "nosniff")
	var buf bytes.Buffer
	var err error
	if listing.Wants(req.header.Get("Accept"), query) == listing.JSON {
		r.header.Set("Content-Type", listing.JSONType)
		err = listing.WriteJSON(&buf, page, listing.ParseSort(query))
	} else {
		r.header.Set("Content-Type", listing.HTMLType)
		r.header.Set("Content-Security-Policy", listing.Policy)
		err = listing.WriteHTML(&buf, page, listing.ParseSort(query))
	}
	r.body = bytesBody(buf.Bytes())
	return r, err
}

// points are the mounts below the path that may be read: as directories, each by
// the next segment of its path.
func (ms mounts) points(at string) []segstore.Entry {
	prefix := strings.TrimSuffix(at, "/") + "/"
	seen := map[string]bool{}
	var entries []segstore.Entry
	for _, m := range ms {
		rest, below := strings.CutPrefix(m.cfg.Path, prefix)
		if !below || rest == "" || !m.cfg.Read {
			continue
		}
		name, deeper, more := strings.Cut(rest, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		entries = append(entries, segstore.Entry{Name: name, Dir: more && deeper != "" || m.store != nil})
	}
	return entries
}

// listPoints answers GET of a path that no mount has and that others lie below,
// where one of these lists.
func (s *Server) listPoints(req *request) (*reply, error) {
	missing := &segstore.MissingError{Name: req.path, Reason: segstore.Never}
	if req.method != http.MethodGet && req.method != http.MethodHead {
		return nil, missing
	}
	var open mounts
	for _, m := range s.mounts {
		if m.cfg.List {
			open = append(open, m)
		}
	}
	points := open.points(req.path)
	switch {
	case len(points) == 0:
		return nil, missing
	case !req.dir && req.path != "/":
		return toDirectory(req), nil
	}
	return listed(req, "/", nil, points, false)
}

// toDirectory sends a client on to the path with a slash, below which relative
// links are right.
func toDirectory(req *request) *reply {
	r := newReply(http.StatusMovedPermanently)
	r.kind = kindFuture
	to := (&url.URL{Path: path.Base(req.path) + "/", RawQuery: req.query}).EscapedPath()
	if req.query != "" {
		to += "?" + req.query
	}
	r.header.Set("Location", "./"+to)
	return r
}

// orDirectory makes of a missing file a way to the directory of its name.
func (m *mount) orDirectory(req *request, name string, err error) (*reply, error) {
	var missing *segstore.MissingError
	if m.cfg.List && errors.As(err, &missing) && missing.Reason == segstore.Never && (m.store.IsDir(name) || len(m.points(req.path)) > 0) {
		return toDirectory(req), nil
	}
	return nil, err
}
