package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/headwater-origin/headwater/origin"
)

// serveCmd runs an origin from a file, from flags, or from a file with flags
// in place of its listeners and limits.
type serveCmd struct {
	Config string `placeholder:"FILE" help:"Configuration file (YAML). The flags from --listen to --timeout override it."`

	Listen     []string        `sep:"none" placeholder:"HOST:PORT" help:"Address for HTTP/1.1 and h2c; may be repeated (${listen}, unless --listen-tls or --port is given)."`
	ListenTLS  []string        `name:"listen-tls" sep:"none" placeholder:"HOST:PORT" help:"Address for HTTPS; may be repeated. Needs --cert and --pkey."`
	Port       uint16          `placeholder:"N" help:"The same as --listen :N, or with --cert as --listen-tls :N."`
	Ifce       string          `placeholder:"HOST" help:"Address of this machine that --port is bound on (all)."`
	Admin      string          `default:"${admin}" placeholder:"HOST:PORT" help:"Address for metrics and health, or off (${default})."`
	Cert       string          `placeholder:"FILE" help:"Certificate chain (PEM)."`
	PKey       string          `name:"pkey" placeholder:"FILE" help:"Key of the certificate (PEM)."`
	StateDir   string          `placeholder:"DIR" help:"Directory for what memory mounts keep over a restart."`
	Memory     origin.Size     `default:"${memory}" placeholder:"SIZE" help:"Memory of all files together; 0: half of what there is (${default})."`
	MaxWaiters int             `default:"${max_waiters}" placeholder:"N" help:"Requests that may wait for files to come (${default})."`
	Timeout    origin.Duration `default:"${timeout}" placeholder:"TIME" help:"Close a connection that is idle for so long; 0: never (${default})."`

	ClientCA        string      `name:"client-ca" placeholder:"FILE" help:"Authorities whose client certificates are taken (PEM)."`
	H3              bool        `name:"h3" help:"Serve HTTP/3 on the ports of --listen-tls, too."`
	Users           string      `placeholder:"FILE" help:"Users and groups, as the commands user and group write them."`
	UserAgent       string      `default:"${user_agent}" placeholder:"TEXT" help:"Server header, and User-Agent of what is sent from here (${default})."`
	Close           bool        `help:"Close each HTTP/1.1 connection after its reply."`
	MaxC            int         `name:"maxc" default:"${maxc}" placeholder:"N" help:"Most connections; 0: any number (${default})."`
	MaxP            int         `name:"maxp" default:"${maxp}" placeholder:"N" help:"Most connections of one peer; 0: any number (${default})."`
	TrustedProxies  []string    `placeholder:"PEER" help:"Proxies whose X-Forwarded-For is believed, as in --write-from."`
	BlockSize       origin.Size `default:"${block_size}" placeholder:"SIZE" help:"Most bytes of one write to a viewer of a growing file (${default})."`
	SUTC            bool        `name:"sutc" help:"Add Server-UTC, in milliseconds, to each reply."`
	ReqLog          string      `name:"reqlog" placeholder:"METHODS" help:"Requests to log: GET,PUT,... or *; REC: files written; - before: not their end."`
	AccessLog       string      `placeholder:"FILE" help:"A line of JSON for each request; -: standard output."`
	MaxClientErrors int         `default:"${max_client_errors}" placeholder:"N" help:"Close a connection after so many refused requests in a row; 0: never (${default})."`
	Hdrs            []string    `name:"hdrs" placeholder:"NAME,VALUE" help:"Headers of each reply: name,value,name,value."`
	JS              string      `name:"js" placeholder:"FILE" help:"Script that sees each request first."`
	Quit            bool        `help:"End once all inputs are over and their viewers gone."`
	Dst             string      `placeholder:"URL" help:"Where it is served, in one: http://HOST:PORT/PATH. HOST localhost is this machine's loopback; * is all addresses."`

	Mount mountFlags `embed:"" group:"mount"`
}

// Run serves until the context ends.
func (s *serveCmd) Run(e env) error {
	cfg, err := s.config(e.given)
	if err != nil {
		return usageError{err}
	}
	srv, err := origin.New(cfg, e.log)
	if err != nil {
		return err
	}
	return srv.Run(e.ctx)
}

// config returns the valid configuration that file and flags make together.
func (s *serveCmd) config(g given) (origin.Config, error) {
	cfg, err := s.base(g)
	if err != nil {
		return cfg, err
	}
	if err := s.setListeners(&cfg, g); err != nil {
		return cfg, err
	}
	s.setRest(&cfg, g)
	return cfg, s.nameFlag(cfg.Validate(), g)
}

// base returns what the file says, or the default with the mount of the flags.
func (s *serveCmd) base(g given) (origin.Config, error) {
	if g.has("config") {
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if g[name] == mountGroup {
				return origin.Config{}, fmt.Errorf("--%s: cannot stand beside --config; say it in a mount of %s", name, s.Config)
			}
		}
		return origin.LoadConfig(s.Config)
	}
	cfg := origin.DefaultConfig()
	if err := s.setDst(g); err != nil {
		return cfg, err
	}
	var err error
	cfg.Mounts, err = s.Mount.mounts(g)
	return cfg, err
}

// setListeners puts the addresses of the flags in the place of those of cfg.
func (s *serveCmd) setListeners(cfg *origin.Config, g given) error {
	listen, tls := slices.Clone(s.Listen), slices.Clone(s.ListenTLS)
	switch {
	case g.has("ifce") && !g.has("port"):
		return errors.New("--ifce: needs --port")
	case g.has("port"):
		// An IPv6 host may stand in brackets, or not.
		host := strings.TrimSuffix(strings.TrimPrefix(s.Ifce, "["), "]")
		addr := net.JoinHostPort(host, strconv.Itoa(int(s.Port)))
		if g.has("cert") {
			tls = append(tls, addr)
		} else {
			listen = append(listen, addr)
		}
	}
	if len(listen)+len(tls) > 0 {
		cfg.Listen, cfg.ListenTLS = listen, tls
	}
	return nil
}

// setRest puts the values of the flags that are given in the place of those of
// cfg.
func (s *serveCmd) setRest(cfg *origin.Config, g given) {
	replace(g, "admin", &cfg.Admin, s.Admin)
	replace(g, "cert", &cfg.Cert, s.Cert)
	replace(g, "pkey", &cfg.PKey, s.PKey)
	replace(g, "state-dir", &cfg.StateDir, s.StateDir)
	replace(g, "memory", &cfg.Memory, s.Memory)
	replace(g, "max-waiters", &cfg.MaxWaiters, s.MaxWaiters)
	replace(g, "timeout", &cfg.Timeout, s.Timeout)
	replace(g, "client-ca", &cfg.ClientCA, s.ClientCA)
	replace(g, "h3", &cfg.H3, s.H3)
	replace(g, "users", &cfg.Users, s.Users)
	replace(g, "user-agent", &cfg.UserAgent, s.UserAgent)
	replace(g, "close", &cfg.Close, s.Close)
	replace(g, "maxc", &cfg.MaxConns, s.MaxC)
	replace(g, "maxp", &cfg.MaxPeerConns, s.MaxP)
	replace(g, "trusted-proxies", &cfg.TrustedProxies, s.TrustedProxies)
	replace(g, "block-size", &cfg.BlockSize, s.BlockSize)
	replace(g, "sutc", &cfg.ServerUTC, s.SUTC)
	replace(g, "reqlog", &cfg.ReqLog, s.ReqLog)
	replace(g, "access-log", &cfg.AccessLog, s.AccessLog)
	replace(g, "max-client-errors", &cfg.MaxClientErrors, s.MaxClientErrors)
	replace(g, "hdrs", &cfg.Headers, s.Hdrs)
	replace(g, "js", &cfg.JS, s.JS)
	replace(g, "quit", &cfg.Quit, s.Quit)
}

func replace[T any](g given, flag string, dst *T, value T) {
	if g.has(flag) {
		*dst = value
	}
}

// nameFlag makes an error about a key one about the flag, where the value came
// from a flag and not from the file.
func (s *serveCmd) nameFlag(err error, g given) error {
	var ce *origin.ConfigError
	if !errors.As(err, &ce) {
		return err
	}
	key, _, _ := strings.Cut(strings.TrimPrefix(ce.Key, "mounts[0]."), "[")
	flag := strings.NewReplacer("_", "-", ".", "-").Replace(key)
	if flag == "store" {
		flag = "rdirs"
	}
	if g.has("config") && !g.has(flag) {
		return &origin.ConfigError{File: s.Config, Key: ce.Key, Msg: ce.Msg}
	}
	return fmt.Errorf("--%s: %s", flag, ce.Msg)
}
