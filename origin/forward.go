package origin

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/headwater-origin/headwater/origin/push"
	"github.com/headwater-origin/headwater/segstore"
)

// newPusher returns who sends the files of the mount on, or nil.
func (s *Server) newPusher(m *Mount) (*push.Pusher, error) {
	if len(m.Push) == 0 {
		return nil, nil //nolint:nilnil // without destinations there is none
	}
	dests := make([]push.Destination, len(m.Push))
	for i := range m.Push {
		var err error
		if dests[i], err = m.Push[i].Destination(s.cfg.UserAgent, m.BlockIO); err != nil {
			return nil, fmt.Errorf("mount %s: push[%d].%w", m.Path, i, err)
		}
	}
	p, err := push.New(dests, push.Options{
		Log: s.log.With("mount", m.Path), KeepFirst: segstore.Policy(m.Policy) != segstore.Overwrite,
	})
	if err != nil {
		return nil, fmt.Errorf("mount %s: push: %w", m.Path, err)
	}
	s.tasks.add("push from "+m.Path, s.pushing(p))
	s.pushers = append(s.pushers, mountPusher{m.Path, p})
	return p, nil
}

// pushing runs the pusher. When the server stops, what is under way may go on to
// its end for as long as uploads and viewers may.
func (s *Server) pushing(p *push.Pusher) func(context.Context) error {
	return func(ctx context.Context) error {
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		forget := context.AfterFunc(ctx, func() {
			defer stop()
			last, cancel := context.WithTimeout(running, s.grace)
			defer cancel()
			_ = p.Drain(last) // what is not sent by then is lost
		})
		defer forget()
		return p.Run(running)
	}
}

// mountPusher is a pusher with the path of its mount.
type mountPusher struct {
	path   string
	pusher *push.Pusher
}

// Destination returns what the entry says, with the secrets from their files. The
// error begins with the key.
func (p *PushTo) Destination(userAgent string, blockIO bool) (push.Destination, error) {
	d := push.Destination{
		URL: p.URL, Post: p.Post, KA: p.KA, BlockIO: blockIO, UserAgent: p.UserAgent, User: p.User,
		CertFile: p.Cert, KeyFile: p.PKey, CAFile: p.CA, Timeout: time.Duration(p.Timeout), MaxBehind: p.MaxBehind,
	}
	if d.UserAgent == "" {
		d.UserAgent = userAgent
	}
	for i := 0; i+1 < len(p.Headers); i += 2 {
		d.Hdrs = append(d.Hdrs, [2]string{p.Headers[i], p.Headers[i+1]})
	}
	var err error
	if d.Password, err = secret("password_file", p.PasswordFile); err != nil {
		return d, err
	}
	d.Bearer, err = secret("bearer_file", p.BearerFile)
	return d, err
}

// secret returns the first line of a file.
func secret(key, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimRight(line, "\r")
	if line == "" {
		return "", fmt.Errorf("%s: the first line of %s is empty", key, file)
	}
	return line, nil
}

// pusherOf returns who sends the files of the mount on, or nil.
func (s *Server) pusherOf(m *Mount) *push.Pusher {
	for _, p := range s.pushers {
		if p.path == m.Path && len(m.Push) > 0 {
			return p.pusher
		}
	}
	return nil
}

// awaitPush has an upload wait, with blockio, while what came before it is still
// to be sent on.
func (m *mount) awaitPush(ctx context.Context) error {
	if m.pusher == nil || !m.cfg.BlockIO {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.stop, func() { cancel(segstore.ErrClosed) })()
	if err := m.pusher.Ready(ctx); err != nil {
		return closing(asHTTPError(fmt.Errorf("%w: %w", context.Cause(ctx), err)))
	}
	return nil
}

// observers are told of what comes to the store of the mount.
func (s *Server) observers(m *Mount) ([]segstore.Observer, error) {
	p, err := s.newPusher(m)
	if p == nil || err != nil {
		return nil, err
	}
	return []segstore.Observer{p}, nil
}
