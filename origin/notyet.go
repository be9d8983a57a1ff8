package origin

import "fmt"

// notYet refuses what a configuration can say and this version cannot do.
func (c *Config) notYet() error {
	for i := range c.Mounts {
		m := &c.Mounts[i]
		for _, k := range []struct {
			key  string
			used bool
		}{{"source", m.Source.used()}, {"watch", m.Watch != ""}, {"js", m.JS != ""}} {
			if k.used {
				return fmt.Errorf("mount %s: %s: this version cannot do that yet", m.Path, k.key)
			}
		}
	}
	return nil
}
