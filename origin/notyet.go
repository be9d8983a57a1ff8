package origin

import (
	"errors"
	"fmt"
)

// notYet refuses what a configuration can say and this version cannot do.
func (c *Config) notYet() error {
	if c.Quit {
		return errors.New("quit: this version cannot do that yet")
	}
	for i := range c.Mounts {
		m := &c.Mounts[i]
		for _, k := range []struct {
			key  string
			used bool
		}{{"relay", m.Relay.Input != ""}, {"source", m.Source.used()}, {"watch", m.Watch != ""}, {"js", m.JS != ""}} {
			if k.used {
				return fmt.Errorf("mount %s: %s: this version cannot do that yet", m.Path, k.key)
			}
		}
	}
	return nil
}
