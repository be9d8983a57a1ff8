package origin

import (
	"net/http"
	"slices"
)

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

// mayWrite says whether the request may upload and delete here.
func (m *mount) mayWrite(req *request) error {
	if !m.cfg.Write {
		return notWritable()
	}
	if !m.writers.Contains(req.peer) {
		return fail(http.StatusForbidden, "Uploads from %s are not allowed: add it to write_from of the mount.", req.peer)
	}
	if m.cfg.ClientCert && !req.clientCert {
		return fail(http.StatusForbidden, "Uploads are taken with a client certificate only.")
	}
	if req.crossOrigin && !m.takesPages() {
		return fail(http.StatusForbidden, "Uploads from pages of other origins are taken only where write_from is any.")
	}
	return nil
}

// takesPages says that pages of other origins may upload. Where a peer is
// trusted for its address or its certificate, a page must not borrow them from
// the browser that shows it.
func (m *mount) takesPages() bool {
	return slices.Contains(m.cfg.writeFrom(), PeersAny) && !m.cfg.ClientCert
}
