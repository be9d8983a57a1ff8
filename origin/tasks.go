package origin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// tasks are what a server does beside answering: reading a relay's input,
// following a folder, pushing to other servers. They run from Run to its end.
type tasks struct {
	log     *slog.Logger
	all     []task
	running sync.WaitGroup
}

// task is one of them. run returns when ctx is done, or earlier when there is
// nothing left to do.
type task struct {
	name string
	run  func(ctx context.Context) error
}

func (t *tasks) add(name string, run func(ctx context.Context) error) {
	t.all = append(t.all, task{name, run})
}

// start runs all tasks until ctx is done. One that fails is logged; the others,
// and the server, go on.
func (t *tasks) start(ctx context.Context) {
	for _, one := range t.all {
		t.running.Go(func() {
			if err := one.run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
				t.log.Error("stopped by itself", "task", one.name, "err", err)
			}
		})
	}
}

func (t *tasks) wait() { t.running.Wait() }

// quitLook is how often it is looked whether the last viewer has gone.
const quitLook = 50 * time.Millisecond

// quit ends the server once the inputs of all relays are over and their viewers
// gone.
func (s *Server) quit(ctx context.Context, end context.CancelFunc) error {
	look := time.NewTicker(quitLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		if s.relaysOver() {
			s.log.Info("all inputs are over: quitting")
			end()
			return nil
		}
	}
}

func (s *Server) relaysOver() bool {
	some := false
	for _, m := range s.mounts {
		if m.relay == nil {
			continue
		}
		some = true
		select {
		case <-m.relay.Done():
		default:
			return false
		}
		if m.relay.Listeners() > 0 {
			return false
		}
	}
	return some
}
