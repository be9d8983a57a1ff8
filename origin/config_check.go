package origin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/headwater-origin/headwater/origin/reqlog"
)

// Bounds of Config.BlockSize.
const (
	leastBlock = 1000
	mostBlock  = 16 << 20
)

// The words that stand for everybody and nobody in RU, RG, WU and WG.
const (
	allUsers = "$ALL"
	noUsers  = "$NONE"
)

func (c *Config) checkTexts() error {
	if err := checkText(c.UserAgent); err != nil {
		return wrong("user_agent", "%v", err)
	}
	for i, s := range c.TrustedProxies {
		if _, err := parsePeer(s); err != nil {
			return wrong(fmt.Sprintf("trusted_proxies[%d]", i), "%v", err)
		}
	}
	if _, err := reqlog.Parse(c.ReqLog); err != nil {
		return wrong("reqlog", "%v", err)
	}
	return checkHeaders("hdrs", c.Headers)
}

// checkHeaders holds that the list is name, value, name, value, of what a
// header may be.
func checkHeaders(key string, list []string) error {
	if len(list)%2 != 0 {
		return wrong(key, "has a name without a value: it is name, value, name, value")
	}
	for i := 0; i < len(list); i += 2 {
		switch name, value := list[i], list[i+1]; {
		case !httpguts.ValidHeaderFieldName(name):
			return wrong(key, "%q is not the name of a header", name)
		case !httpguts.ValidHeaderFieldValue(value):
			return wrong(key, "%q is not the value of a header", value)
		case slices.Contains(framingHeaders, strings.ToLower(name)):
			return wrong(key, "%s is not for the configuration: it says where a reply ends", name)
		}
	}
	return nil
}

// framingHeaders are those that a reply's end depends on.
var framingHeaders = []string{"content-length", "transfer-encoding", "connection", "trailer", "upgrade", "content-range"}

// only says that the mount is read or written and not both.
func (m *Mount) only() bool { return m.Read != m.Write }

// needsUsers says that somebody is named who must log in.
func (m *Mount) needsUsers() bool {
	for _, list := range [][]string{m.RU, m.RG, m.WU, m.WG} {
		for _, name := range list {
			if name != allUsers && name != noUsers {
				return true
			}
		}
	}
	return false
}

func (m *Mount) checkAccess(prefix string) error {
	for _, l := range []struct {
		key  string
		list []string
	}{{"ru", m.RU}, {"rg", m.RG}, {"wu", m.WU}, {"wg", m.WG}} {
		for i, name := range l.list {
			if name == "" || strings.HasPrefix(name, "$") && name != allUsers && name != noUsers {
				return wrong(fmt.Sprintf("%s%s[%d]", prefix, l.key, i), "%q is neither a name nor %s nor %s", name, allUsers, noUsers)
			}
		}
	}
	return nil
}

// checkModes holds that a mount is one thing: a store, a relay or a source.
func (m *Mount) checkModes(prefix string) error {
	outputs := 0
	for _, set := range []bool{len(m.Source.Exec) > 0, m.Source.FIFO != "", m.Source.File != "", m.Source.Stdout, m.Source.URL != ""} {
		if set {
			outputs++
		}
	}
	relay := m.Relay.Input != ""
	switch {
	case outputs > 1:
		return wrong(prefix+"source", "has more than one of exec, fifo, file, stdout, url")
	case (outputs > 0 || m.Relay.Input == inputPut) && !m.Write:
		return wrong(prefix+"write", "must be true: what is uploaded here is what this mount is for")
	case outputs > 0 && relay:
		return wrong(prefix+"relay", "a mount cannot be a source, too")
	case (outputs > 0 || relay) && m.Store != GMem:
		return wrong(prefix+"store", "%s would not be used: a relay or a source stores nothing", m.Store)
	case (outputs > 0 || relay) && (m.Watch != "" || len(m.Push) > 0):
		return wrong(prefix+"watch", "neither watch nor push go with a relay or a source")
	case m.Watch != "" && m.Store != GMem:
		return wrong(prefix+"watch", "needs store: gmem")
	case len(m.Push) > 0 && m.Store == "":
		return wrong(prefix+"push", "needs a store")
	case m.Relay.MetaInt < 1 || m.Relay.MetaInt > 1<<20:
		return wrong(prefix+"relay.metaint", "%s is not between 1 and 1Mi", m.Relay.MetaInt)
	}
	for i := range m.Push {
		if err := m.Push[i].validate(fmt.Sprintf("%spush[%d].", prefix, i)); err != nil {
			return err
		}
	}
	if m.Source.URL != "" {
		return checkURL(prefix+"source.url", m.Source.URL)
	}
	return nil
}

// checkStreams holds that standard input and standard output have one use each:
// two would mix their bytes.
func (c *Config) checkStreams() error {
	in, out := "", ""
	if c.AccessLog == "-" {
		out = "access_log"
	}
	for i := range c.Mounts {
		key := fmt.Sprintf("mounts[%d].", i)
		if c.Mounts[i].Source.Stdout {
			if out != "" {
				return wrong(key+"source.stdout", "%s writes to standard output, too", out)
			}
			out = key + "source"
		}
		if c.Mounts[i].Relay.Input == "-" {
			if in != "" {
				return wrong(key+"relay.input", "%s reads standard input, too", in)
			}
			in = key + "relay"
		}
	}
	return nil
}

func (p *PushTo) validate(prefix string) error {
	switch {
	case p.User != "" && p.PasswordFile == "":
		return wrong(prefix+"user", "given without password_file")
	case p.PasswordFile != "" && p.User == "":
		return wrong(prefix+"password_file", "given without user")
	case p.User != "" && p.BearerFile != "":
		return wrong(prefix+"bearer_file", "cannot stand beside user")
	case (p.Cert == "") != (p.PKey == ""):
		return wrong(prefix+"cert", "cert and pkey stand together")
	case p.Timeout <= 0:
		return wrong(prefix+"timeout", "must be more than 0")
	case p.MaxBehind < 1:
		return wrong(prefix+"max_behind", "%d is less than 1", p.MaxBehind)
	}
	if err := checkHeaders(prefix+"hdrs", p.Headers); err != nil {
		return err
	}
	return checkURL(prefix+"url", p.URL)
}

func checkURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return wrong(key, "%q is not an http or https URL", text)
	}
	return nil
}

func (m *Mount) checkContent(prefix string) error {
	for i, name := range m.Index {
		if name == "" || strings.ContainsAny(name, "/\x00") {
			return wrong(fmt.Sprintf("%sindex[%d]", prefix, i), "%q is not a file name", name)
		}
	}
	for _, t := range []struct{ key, value string }{{"ext", m.Ext}, {"mime", m.MIME}, {"relay.title", m.Relay.Title}} {
		if err := checkText(t.value); err != nil {
			return wrong(prefix+t.key, "%v", err)
		}
	}
	if err := checkHeaders(prefix+"relay.ice_headers", m.Relay.IceHeaders); err != nil {
		return err
	}
	return checkHeaders(prefix+"hdrs", m.Headers)
}
