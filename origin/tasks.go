package origin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
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
