package segstore

import (
	"errors"
	"testing"
)

// sees checks that the name stands for the upload's File.
func sees(t *testing.T, s *Store, w *Writer) {
	t.Helper()
	if f, err := s.Lookup(w.File().Name()); err != nil || f != w.File() {
		t.Fatalf("Lookup = %p, %v, want %p", f, err, w.File())
	}
}

func end(t *testing.T, w *Writer, body string, want error) {
	t.Helper()
	push(t, w, []byte(body))
	if err := w.Close(); !errors.Is(err, want) {
		t.Fatalf("Close after %s: %v, want %v", body, err, want)
	}
}

func TestOverwrite(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		a := start(t, s, "seg-1.m4s")
		sees(t, s, a)
		b := start(t, s, "seg-1.m4s")
		sees(t, s, b)
		end(t, a, "a", nil)
		sees(t, s, b)
		end(t, b, "b", nil)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
	})
}

func TestOverwriteOlderEndsLast(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		a, b := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		end(t, b, "b", nil)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
		end(t, a, "a", nil)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
	})
}

func TestOverwriteTakerFails(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "seg-1.m4s", []byte("0"))
		a, b := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		push(t, b, []byte("b"))
		b.Abort(errAborted)
		wantContent(t, s, "seg-1.m4s", []byte("0"))
		end(t, a, "a", nil)
		wantContent(t, s, "seg-1.m4s", []byte("a"))
	})
}

func TestFirstWins(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{Policy: FirstWins})
		a, b, c := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		sees(t, s, a)
		end(t, c, "c", nil)
		sees(t, s, a)
		end(t, a, "a", nil)
		wantContent(t, s, "seg-1.m4s", []byte("a"))
		end(t, b, "b", ErrKept)
		wantContent(t, s, "seg-1.m4s", []byte("a"))
		if _, err := s.Create("seg-1.m4s", Head{}); !errors.Is(err, ErrKept) {
			t.Fatalf("Create over a complete file: %v", err)
		}
	})
}

func TestFirstWinsFirstFails(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{Policy: FirstWins})
		a, b, c := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		end(t, b, "b", nil)
		sees(t, s, a)
		a.Abort(errAborted)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
		end(t, c, "c", ErrKept)

		a, b = start(t, s, "seg-2.m4s"), start(t, s, "seg-2.m4s")
		a.Abort(errAborted)
		sees(t, s, b)
		end(t, b, "b", nil)
		wantContent(t, s, "seg-2.m4s", []byte("b"))
	})
}

func TestFirstCompleteWins(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{Policy: FirstCompleteWins})
		a, b := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		sees(t, s, a)
		end(t, b, "b", nil)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
		end(t, a, "a", ErrKept)
		wantContent(t, s, "seg-1.m4s", []byte("b"))
		if got, err := readAll(t.Context(), a.File(), 0); err != nil || string(got) != "a" {
			t.Fatalf("readers of the other got %q, %v", got, err)
		}
		if _, err := s.Create("seg-1.m4s", Head{}); !errors.Is(err, ErrKept) {
			t.Fatalf("Create over a complete file: %v", err)
		}

		a, b = start(t, s, "seg-2.m4s"), start(t, s, "seg-2.m4s")
		a.Abort(errAborted)
		sees(t, s, b)
		end(t, b, "b", nil)
		wantContent(t, s, "seg-2.m4s", []byte("b"))
	})
}

func TestDeleteWithAShadowThatIsDone(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		budget := NewBudget(1 << 20)
		s := open(Options{Policy: FirstWins, Budget: budget})
		a, b := start(t, s, "seg-1.m4s"), start(t, s, "seg-1.m4s")
		end(t, b, "b", nil)
		if err := s.Delete("seg-1.m4s"); err != nil {
			t.Fatal(err)
		}
		end(t, a, "a", ErrDeleted)
		if got := here(s, "seg-1.m4s"); got != nil || budget.Used() != 0 {
			t.Fatalf("left: %v, %d bytes", got, budget.Used())
		}
	})
}
