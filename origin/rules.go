package origin

import (
	"errors"
	"fmt"
	"os"
	"path"

	"github.com/headwater-origin/headwater/origin/access"
)

// plannedMount is a mount, and the rules that a file has for its directory.
type plannedMount struct {
	Mount
	rules *access.LiveRules // nil: the mount's own keys say who may
}

// plan returns the mounts of the configuration. One whose store is a rule file
// stands for a mount for each directory that the file names.
func (s *Server) plan() ([]plannedMount, error) {
	var all []plannedMount
	for _, m := range s.cfg.Mounts {
		m.imply()
		if m.Store == GMem || !isRegular(m.Store) {
			all = append(all, plannedMount{Mount: m})
			continue
		}
		ruled, err := s.ruledMounts(m)
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Path, err)
		}
		all = append(all, ruled...)
	}
	return all, nil
}

// imply sets what follows from what a mount is.
func (m *Mount) imply() {
	switch {
	case m.Source.used():
		m.Read, m.Write = false, true
	case m.Relay.Input != "":
		m.Write = m.Relay.Input == "put"
	}
}

func isRegular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// ruledMounts returns a mount like m for each directory of its rule file.
func (s *Server) ruledMounts(m Mount) ([]plannedMount, error) {
	live, err := access.WatchRules(m.Store, s.log)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, live.Close)
	var all []plannedMount
	for _, d := range live.Rules().Directories {
		one := plannedMount{Mount: m, rules: live}
		one.Store, one.Path, one.Write = d.Dir, path.Join(m.Path, d.Name), d.HasWrite()
		if d.HasWrite() {
			one.WU = []string{noUsers} // that uploads are guarded; the rules say by whom
		}
		if err := checkPath(one.Path); err != nil {
			return nil, fmt.Errorf("%s:%d: name: %w", m.Store, d.Line, err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s names no directory", m.Store)
	}
	if s.users == nil && namesUsers(live.Rules()) {
		return nil, errors.New("the rules name users or groups: the server needs the file with them (users)")
	}
	return all, nil
}

func namesUsers(r *access.Rules) bool {
	for _, d := range r.Directories {
		for _, rights := range append([]access.Sub{{Rights: d.Rights}}, d.Subs...) {
			m := Mount{RU: rights.RU, RG: rights.RG, WU: rights.WU, WG: rights.WG}
			if m.needsUsers() {
				return true
			}
		}
	}
	return false
}

// merge lets directories that rule files have at one path be read as one: what
// the first has not is looked for in the next.
func (ms mounts) merge() {
	for i, m := range ms {
		for _, later := range ms[i+1:] {
			if m.ruled && later.ruled && later.cfg.Path == m.cfg.Path {
				m.next = later
				break
			}
		}
	}
}
