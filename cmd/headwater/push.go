package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/headwater-origin/headwater/cmd/headwater/internal/sending"
	"github.com/headwater-origin/headwater/origin"
	"github.com/headwater-origin/headwater/origin/push"
)

// pushCmd sends one source to servers, as httpout does with hmode=push.
type pushCmd struct {
	Src string   `arg:"" help:"A directory that a packager writes to, a file, a named pipe, or - for standard input."`
	URL []string `arg:"" help:"Where it goes: the file's URL, or with a / at its end the directory's."`

	Post         bool            `help:"Send POST and not PUT."`
	KA           bool            `name:"ka" default:"true" negatable:"" help:"Outlive failures: try again while it matters (${default})."`
	BlockIO      bool            `name:"blockio" help:"Read no faster than the slowest server takes it, instead of leaving bytes out."`
	Hdrs         []string        `name:"hdrs" placeholder:"NAME,VALUE" help:"Headers of each request: name,value,name,value."`
	UserAgent    string          `placeholder:"TEXT" help:"User-Agent (Headwater)."`
	User         string          `placeholder:"NAME" help:"Log in with the password of --password-file (Basic)."`
	PasswordFile string          `placeholder:"FILE" help:"File whose first line is the password."`
	BearerFile   string          `placeholder:"FILE" help:"File whose first line is a bearer token."`
	Cert         string          `placeholder:"FILE" help:"Client certificate (PEM)."`
	PKey         string          `name:"pkey" placeholder:"FILE" help:"Its key (PEM)."`
	CA           string          `name:"ca" placeholder:"FILE" help:"Authorities that servers' certificates are checked with (the system's)."`
	Timeout      origin.Duration `default:"10s" placeholder:"TIME" help:"Break off what makes no progress for so long (${default})."`
	MIME         string          `name:"mime" placeholder:"TYPE" help:"Content-Type of standard input or a pipe (that of its name)."`
}

// Run sends the source until its end, or that of the context.
func (c *pushCmd) Run(e env) error {
	opt := sending.Options{Src: c.Src, ContentType: c.MIME, Log: e.log}
	if f, ok := e.stdin.(*os.File); ok {
		opt.Stdin = f
	}
	for _, url := range c.URL {
		to, err := c.to(url)
		if err != nil {
			return usageError{err}
		}
		opt.To = append(opt.To, to)
	}
	return sending.Run(e.ctx, opt)
}

// to returns one destination.
func (c *pushCmd) to(url string) (push.Destination, error) {
	if len(c.Hdrs)%2 != 0 {
		return push.Destination{}, fmt.Errorf("--hdrs: %q has no value", c.Hdrs[len(c.Hdrs)-1])
	}
	p := origin.DefaultPush()
	p.URL, p.Post, p.KA, p.Headers, p.UserAgent, p.Timeout = url, c.Post, c.KA, c.Hdrs, c.UserAgent, c.Timeout
	p.User, p.PasswordFile, p.BearerFile, p.Cert, p.PKey, p.CA = c.User, c.PasswordFile, c.BearerFile, c.Cert, c.PKey, c.CA
	d, err := p.Destination("", c.BlockIO)
	if err == nil {
		err = d.Validate()
	} else {
		err = fmt.Errorf("--%s", strings.ReplaceAll(err.Error(), "_file:", "-file:"))
	}
	return d, err
}
