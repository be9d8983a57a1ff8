package origin

import (
	"fmt"

	"github.com/headwater-origin/headwater/origin/folder"
)

// watch has the files of a packager that writes to disk come into the store of
// the mount, as if they had been uploaded.
func (s *Server) watch(m *mount) error {
	if m.cfg.Watch == "" {
		return nil
	}
	f, err := folder.New(folder.Options{Dir: m.cfg.Watch, Existing: true, Log: m.log}, m.store)
	if err != nil {
		return fmt.Errorf("mount %s: watch: %w", m.cfg.Path, err)
	}
	s.tasks.add("watch "+m.cfg.Watch, f.Run)
	return nil
}
