package folder

import (
	"errors"
	"time"

	"github.com/headwater-origin/headwater/segstore"
)

// reported takes what a follower tells.
func (l *loop) reported(r report) {
	f := r.from
	l.begun(f)
	if r.end == nil {
		return
	}
	delete(l.running, f)
	if !f.whole {
		l.media--
	}
	e := l.entries[f.name]
	e.alive--
	l.noteEnd(f, r.end)
	if r.end.how == taken && kept(r.end.err) {
		e.given, e.sum = true, r.end.sum
	}
	for w := range e.at {
		if e.at[w].f == f {
			e.at[w].f = nil
			if !f.turn.told { // else it was of a file before
				e.at[w].ended(f, r.end, l.beat)
			}
		}
	}
	l.reconcile(f.name)
}

// kept reports that the store has what Close returned the error for.
func kept(err error) bool { return err == nil || errors.Is(err, segstore.ErrUnsaved) }

func isMissing(err error) bool {
	var missing *segstore.MissingError
	return errors.As(err, &missing)
}

// noteEnd logs what an operator should know.
func (l *loop) noteEnd(f *follower, end *outcome) {
	switch end.how {
	case refused:
		l.notes.refused(f.name, end.err)
	case taken:
		if end.err != nil {
			l.notes.refused(f.name, end.err)
		}
	case broken:
		l.notes.broken(f.path, end.err)
	case unreadable:
		l.notes.skipped(f.path, end.err)
	case ended, empty, anew:
	}
}

// ended takes note of how the follower of the slot ended.
func (s *slot) ended(f *follower, end *outcome, beat time.Duration) {
	s.done, s.again = end.seen, false
	pause := time.Duration(0)
	switch end.how {
	case refused, unreadable:
		if (s.done == ident{}) {
			s.done = identOf(f.info)
		}
		s.again = true
		pause = beat << min(s.tries, 5)
		s.tries++
	case anew, ended:
		s.done = ident{}
		pause = s.retry(beat)
	case taken, empty, broken:
		if !f.turn.further {
			s.tries = 0
			break
		}
		pause = s.retry(beat)
	}
	s.moved = s.moved && s.done == ident{}
	s.due = time.Now().Add(pause)
}

// retry counts a try in a row. The first is at once.
func (s *slot) retry(beat time.Duration) (pause time.Duration) {
	if s.tries > 0 {
		pause = beat
	}
	s.tries++
	return pause
}
