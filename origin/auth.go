package origin

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/headwater-origin/headwater/origin/access"
)

// realm is what a browser shows when it asks for a password.
const realm = "Headwater"

// writeFrom returns the peers that may write: those of the configuration, else
// loopback alone unless something else says who may.
func (m *Mount) writeFrom() []string {
	switch {
	case len(m.WriteFrom) > 0:
		return m.WriteFrom
	case m.guarded():
		return []string{PeersAny}
	}
	return []string{PeersLoopback}
}

// guarded says that writers show who they are.
func (m *Mount) guarded() bool { return m.ClientCert || len(m.WU)+len(m.WG) > 0 }

// rights returns the rights that the mount's own keys give.
func (m *Mount) rights() *access.Rights {
	return &access.Rights{RU: m.RU, RG: m.RG, WU: m.WU, WG: m.WG}
}

// mayRead says whether the request may have the file of the name.
func (m *mount) mayRead(ctx context.Context, req *request, name string) error {
	who, err := credentials(req)
	if err != nil {
		return err
	}
	return m.decided(req, who, m.rights(name).Read(ctx, who, m.users))
}

// mayWrite says whether the request may upload and delete the file of the name.
func (m *mount) mayWrite(ctx context.Context, req *request, name string) error {
	if !m.cfg.Write {
		return notWritable()
	}
	if !m.writers.Contains(req.peer) {
		return fail(http.StatusForbidden, "Uploads from %s are not allowed: add it to write_from of the mount.", req.peer)
	}
	if m.cfg.ClientCert && !req.clientCert {
		return fail(http.StatusForbidden, "Uploads are taken with a client certificate only.")
	}
	rights := m.rights(name)
	if req.crossOrigin && !m.takesPages(rights, req.method) {
		return fail(http.StatusForbidden, "Uploads from pages of other origins are taken only where write_from is any or with PUT and a password.")
	}
	switch {
	case !rights.HasWrite() && m.ruled:
		return fail(http.StatusForbidden, "The rules let nobody upload here.")
	case !rights.HasWrite():
		return nil
	}
	who, err := credentials(req)
	if err != nil {
		return err
	}
	return m.decided(req, who, rights.Write(ctx, who, m.users))
}

func credentials(req *request) (*access.Credentials, error) {
	who, err := access.FromHeader(req.header)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "The Authorization header cannot be read.")
	}
	return who, nil
}

// decided makes an error of a decision, and notes who has logged in.
func (m *mount) decided(req *request, who *access.Credentials, d access.Decision) error {
	var e *httpError
	switch d {
	case access.Allowed:
		if who != nil && m.users != nil {
			req.user = who.User
		}
		return nil
	case access.NeedLogin:
		e = fail(http.StatusUnauthorized, "A user and a password are needed.")
		e.header = http.Header{"Www-Authenticate": {access.Challenge(realm)}}
	case access.Busy:
		e = fail(http.StatusServiceUnavailable, "Too many passwords are being checked.")
		e.header = http.Header{"Retry-After": {"1"}}
	case access.Forbidden:
		e = fail(http.StatusForbidden, "Not allowed for this user, or for anybody.")
	}
	return e
}

// takesPages says that pages of other origins may upload. Where a peer is
// trusted for its address or its certificate, a page must not borrow them from
// the browser that shows it. A password it could borrow for a POST alone: all
// else is asked for beforehand, and never allowed with the browser's own.
func (m *mount) takesPages(rights *access.Rights, method string) bool {
	return slices.Contains(m.cfg.writeFrom(), PeersAny) && !m.cfg.ClientCert && (!rights.HasWrite() || method != http.MethodPost)
}

// openUsers opens the file with the users, if there is to be one.
func (s *Server) openUsers() error {
	if s.cfg.Users == "" {
		return nil
	}
	users, err := access.OpenUsers(s.cfg.Users, s.log)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	s.users = users
	s.closers = append(s.closers, users.Close)
	return nil
}
