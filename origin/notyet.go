package origin

import (
	"errors"
	"fmt"
)

// notYet refuses what a configuration can say and this version cannot do.
func (c *Config) notYet() error {
	if c.JS != "" {
		return errors.New("js: this version cannot do that yet")
	}
	for i := range c.Mounts {
		m := &c.Mounts[i]
		for _, k := range []struct {
			key  string
			used bool
		}{{"source", m.Source.used()}, {"watch", m.Watch != ""}} {
			if k.used {
				return fmt.Errorf("mount %s: %s: this version cannot do that yet", m.Path, k.key)
			}
		}
	}
	return nil
}
