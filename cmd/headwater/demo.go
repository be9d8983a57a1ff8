package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/headwater-origin/headwater/cmd/headwater/internal/demo"
	"github.com/headwater-origin/headwater/origin"
)

// demoSegs is how many segments per track the demo's origin keeps: more than
// the channel's manifests announce.
const demoSegs = 20

// demoCmd runs an origin and a live channel in one process.
type demoCmd struct {
	Listen string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the origin; port 0 takes a free one (${default})."`
	For    time.Duration `placeholder:"TIME" help:"Stop after so long, such as 30s."`
}

// Run sends the channel until the context ends, or --for is over.
func (d *demoCmd) Run(e env) error {
	cfg := origin.DefaultConfig()
	cfg.Listen = []string{d.Listen}
	cfg.Admin = origin.AdminOff
	cfg.Mounts[0].MaxCacheSegs = demoSegs
	var wrong *origin.ConfigError
	switch {
	case errors.As(cfg.Validate(), &wrong):
		return usageError{fmt.Errorf("--listen: %s", wrong.Msg)}
	case d.For < 0:
		return usageError{fmt.Errorf("--for: %s is negative", d.For)}
	}
	srv, err := origin.New(cfg, e.log)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; try --listen 127.0.0.1:0", err)
	}
	if err != nil {
		return err
	}
	return d.run(e, srv)
}

// run ends the channel first and the server last.
func (d *demoCmd) run(e env, srv *origin.Server) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	if d.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, d.For)
		defer cancel()
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() {
		served <- srv.Run(serving)
		cancel() // no server, no channel
	}()
	base := dialable(srv.URLs()[0]) + "/demo"
	status := newStatus(e.stdout, base, func() int { return srv.Stats().Viewers })
	err := demo.Run(ctx, demo.Options{Base: base, Progress: status.update})
	status.end()
	stop()
	return errors.Join(err, <-served)
}

// dialable puts a loopback address in the place of the one that stands for all
// addresses of the machine.
func dialable(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	return u.String()
}
