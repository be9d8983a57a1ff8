package segstore

import (
	"context"
	"fmt"
)

// Await returns the File of the name once there is one, waiting for it until
// ctx is done. It does not judge whether the name is likely: callers wait for
// names that Lookup called Next, or that a manifest promises. The error is
// that of Lookup for a name that cannot be, ErrTooManyWaiters, ErrClosed, or
// the cause of ctx.
func (s *Store) Await(ctx context.Context, name string) (*File, error) {
	f, err := s.await(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", name, err)
	}
	return f, nil
}

func (s *Store) await(ctx context.Context, name string) (*File, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	if f, err := s.find(name); f != nil || err != nil {
		return f, err
	}
	if int(s.waiters.Add(1)) > s.opt.MaxWaiters {
		s.waiters.Add(-1)
		return nil, ErrTooManyWaiters
	}
	defer s.waiters.Add(-1)
	for {
		if s.closed() {
			return nil, ErrClosed
		}
		f, err := s.waitOnce(ctx, name)
		if f != nil || err != nil {
			return f, err
		}
	}
}

// waitOnce waits until the File that stands for the name, or for the wait for
// it, changes. It returns nil when the caller has to look anew: the upload
// failed before anybody saw it.
func (s *Store) waitOnce(ctx context.Context, name string) (*File, error) {
	f, p := s.join(name)
	if p != nil {
		defer s.leave(name, p)
	}
	for {
		v := f.View()
		if to := v.v.moved; to != nil {
			f = to
			continue
		}
		switch v.State() {
		case Growing, Complete:
			return f, nil
		case Failed:
			return nil, nil
		case Pending:
		}
		select {
		case <-v.Changed():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-s.closing:
			return nil, ErrClosed
		}
	}
}

// join returns what the name stands for, or else its Pending File with the
// caller counted as a waiter, which leave undoes.
func (s *Store) join(name string) (f *File, p *pending) {
	policy := s.policy(name)
	s.reg.change(name, func(e *entry) {
		if f = e.visible(policy); f != nil {
			return
		}
		if e.pending == nil {
			e.pending = &pending{file: newFile(name, s.freed)}
		}
		p = e.pending
		p.waiters++
		f = p.file
	})
	return f, p
}

// leave takes a waiter off, and drops the Pending File with the last.
func (s *Store) leave(name string, p *pending) {
	dropped := false
	s.reg.change(name, func(e *entry) {
		p.waiters--
		if dropped = p.waiters == 0 && e.pending == p; dropped {
			e.pending = nil
		}
	})
	if dropped {
		p.file.release()
	}
}
