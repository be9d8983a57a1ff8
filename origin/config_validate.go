package origin

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Validate reports the first thing that is wrong as a *ConfigError that names
// the key. It looks at values only: that files exist and addresses are free is
// found out by New.
func (c *Config) Validate() error {
	for _, check := range []func() error{c.checkListeners, c.checkTLS, c.checkNumbers, c.checkTexts, c.checkMounts, c.checkStreams} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func wrong(key, format string, args ...any) error {
	return &ConfigError{Key: key, Msg: fmt.Sprintf(format, args...)}
}

// listener is an address with the key that gave it.
type listener struct{ key, addr string }

func (c *Config) listeners() []listener {
	var all []listener
	for i, addr := range c.Listen {
		all = append(all, listener{fmt.Sprintf("listen[%d]", i), addr})
	}
	for i, addr := range c.ListenTLS {
		all = append(all, listener{fmt.Sprintf("listen_tls[%d]", i), addr})
	}
	if c.Admin != AdminOff {
		all = append(all, listener{"admin", c.Admin})
	}
	return all
}

func (c *Config) checkListeners() error {
	if len(c.Listen)+len(c.ListenTLS) == 0 {
		return wrong("listen", "no address to listen on, here or in listen_tls")
	}
	var seen []listener
	for _, l := range c.listeners() {
		host, port, err := splitAddr(l.addr)
		if err != nil {
			return wrong(l.key, "%v", err)
		}
		for _, s := range seen {
			// Parsed before, so without an error.
			if h, p, _ := splitAddr(s.addr); port != 0 && p == port && sameHost(h, host) {
				return wrong(l.key, "%s is the same as %s %s", l.addr, s.key, s.addr)
			}
		}
		seen = append(seen, l)
	}
	return nil
}

func (c *Config) checkTLS() error {
	switch {
	case c.Cert != "" && c.PKey == "":
		return wrong("cert", "given without pkey")
	case c.PKey != "" && c.Cert == "":
		return wrong("pkey", "given without cert")
	case len(c.ListenTLS) > 0 && c.Cert == "":
		return wrong("listen_tls", "needs cert and pkey")
	case c.Cert != "" && len(c.ListenTLS) == 0:
		return wrong("cert", "given without listen_tls")
	case c.ClientCA != "" && len(c.ListenTLS) == 0:
		return wrong("client_ca", "given without listen_tls")
	case c.H3 && len(c.ListenTLS) == 0:
		return wrong("h3", "needs listen_tls, cert and pkey")
	}
	return nil
}

func (c *Config) checkNumbers() error {
	switch {
	case c.Memory < 0:
		return wrong("memory", "%d is negative", c.Memory)
	case c.Timeout < 0:
		return wrong("timeout", "%s is negative", c.Timeout)
	case c.MaxWaiters < 1:
		return wrong("max_waiters", "%d is less than 1 (to hold no requests, set hold_timeout of each mount to 0)", c.MaxWaiters)
	case c.BlockSize < leastBlock || c.BlockSize > mostBlock:
		return wrong("block_size", "%s is not between %s and %s", c.BlockSize, Size(leastBlock), Size(mostBlock))
	}
	for _, n := range []struct {
		key   string
		value int
	}{{"maxc", c.MaxConns}, {"maxp", c.MaxPeerConns}, {"max_client_errors", c.MaxClientErrors}} {
		if n.value < 0 {
			return wrong(n.key, "%d is negative; 0 means no bound", n.value)
		}
	}
	return nil
}

func (c *Config) checkMounts() error {
	if len(c.Mounts) == 0 {
		return wrong("mounts", "none given")
	}
	for i := range c.Mounts {
		prefix := fmt.Sprintf("mounts[%d].", i)
		if err := c.Mounts[i].validate(prefix); err != nil {
			return err
		}
		if err := clash(prefix, &c.Mounts[i], c.Mounts[:i]); err != nil {
			return err
		}
		if c.Mounts[i].needsUsers() && c.Users == "" {
			return wrong(prefix+"ru", "users or groups are named here or in wu, rg, wg: the server needs the file with them (users)")
		}
		if c.Mounts[i].ClientCert && c.ClientCA == "" {
			return wrong(prefix+"client_cert", "needs client_ca")
		}
	}
	return nil
}

// clash looks for an earlier mount that cannot stand beside m.
func clash(prefix string, m *Mount, earlier []Mount) error {
	for j := range earlier {
		e := &earlier[j]
		if e.Path == m.Path && !(e.only() && m.only() && e.Read != m.Read) {
			return wrong(prefix+"path", "%s is the path of mounts[%d] too", m.Path, j)
		}
		// Two stores that evict and sweep in one directory remove each
		// other's files.
		if m.Write && e.Write && m.Store != GMem && filepath.Clean(m.Store) == filepath.Clean(e.Store) {
			return wrong(prefix+"store", "%s is written by mounts[%d] too", m.Store, j)
		}
	}
	return nil
}

func (m *Mount) validate(prefix string) error {
	if err := checkPath(m.Path); err != nil {
		return wrong(prefix+"path", "%v", err)
	}
	if !m.Read && !m.Write {
		return wrong(prefix+"read", "the mount is neither read nor written")
	}
	if m.Store == "" || strings.ContainsRune(m.Store, 0) {
		return wrong(prefix+"store", "%q is neither %s nor a directory", m.Store, GMem)
	}
	for i, s := range m.WriteFrom {
		if _, err := parsePeer(s); err != nil {
			return wrong(fmt.Sprintf("%swrite_from[%d]", prefix, i), "%v", err)
		}
	}
	for _, check := range []func(string) error{m.checkNumbers, m.checkModes, m.checkAccess, m.checkContent} {
		if err := check(prefix); err != nil {
			return err
		}
	}
	return m.CacheControl.validate(prefix + "cache_control.")
}

func (m *Mount) checkNumbers(prefix string) error {
	for _, s := range []struct {
		key  string
		size Size
	}{
		{"max_bytes", m.MaxBytes}, {"maxs", m.MaxUpload}, {"max_lag", m.MaxLag}, {"zmax", m.ZMax},
		{"relay.max_async_buf", m.Relay.MaxAsyncBuf}, {"relay.rate", m.Relay.Rate},
	} {
		if s.size < 0 {
			return wrong(prefix+s.key, "%d is negative", s.size)
		}
	}
	for _, d := range []struct {
		key   string
		value Duration
		least Duration
	}{{"hold_timeout", m.HoldTimeout, 0}, {"upload_timeout", m.UploadTimeout, 1}, {"viewer_timeout", m.ViewerTimeout, 1}} {
		switch {
		case d.value < 0:
			return wrong(prefix+d.key, "%s is negative", d.value)
		case d.value < d.least:
			return wrong(prefix+d.key, "must be more than 0")
		}
	}
	if int(m.Policy) >= len(policyNames) {
		return wrong(prefix+"policy", "%s", m.Policy)
	}
	if int(m.CORS) >= len(corsNames) {
		return wrong(prefix+"cors", "%s", m.CORS)
	}
	return nil
}

func checkPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/"):
		return fmt.Errorf("%q is not absolute; it begins with /", p)
	case path.Clean(p) != p:
		return fmt.Errorf("%q is not clean; write %s", p, path.Clean(p))
	case strings.ContainsAny(p, "?#%\\"):
		return fmt.Errorf("%q has one of ? # %% \\ in it", p)
	}
	return checkText(p)
}

func (c CacheControl) validate(prefix string) error {
	for _, f := range []struct{ key, value string }{
		{"", c.All},
		{"manifest", c.Manifest},
		{"segment", c.Segment},
		{"init", c.Init},
		{"growing", c.Growing},
		{"other", c.Other},
		{"future", c.Future},
		{"evicted", c.Evicted},
		{"never", c.Never},
	} {
		if err := checkText(f.value); err != nil {
			return wrong(strings.TrimSuffix(prefix+f.key, "."), "%v", err)
		}
	}
	return nil
}

// checkText refuses what would end a header line early.
func checkText(s string) error {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("%q has a control character in it", s)
		}
	}
	return nil
}
