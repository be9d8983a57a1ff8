package segstore

import (
	"errors"
	"testing"
)

func TestPatchOfAMissingName(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -5})
		for _, c := range []Change{
			{Spans: []Span{{0, 4}}},
			{Spans: []Span{{1, 4}}, Create: true},
			{Spans: []Span{{0, 4}, {0, 1}}, Create: true},
			{Spans: []Span{{0, 4}}, Create: true, ETag: `"x"`},
		} {
			var missing *MissingError
			if p, err := s.Patch("f.bin", c); !errors.As(err, &missing) || p != nil {
				t.Errorf("Patch %+v = %v, %v", c, p, err)
			}
		}
		for name, to := range map[string]int64{"full.bin": 4, "open.bin": ToEnd, "short.bin": 5, "long.bin": 3} {
			p, err := s.Patch(name, Change{Spans: []Span{{0, to}}, Create: true, ContentType: "a/b"})
			if err != nil || p.Replaces() {
				t.Fatal(err)
			}
			_, _ = p.Write([]byte("body"))
			err = p.Close()
			if to == 4 || to == ToEnd {
				wantContent(t, s, name, []byte("body"))
				if got := p.File().View().Head().ContentType; err != nil || got != "a/b" {
					t.Errorf("%s: %v, type %s", name, err, got)
				}
				continue
			}
			wantMissing(t, s, name, Never)
			if !errors.Is(err, ErrLength) || p.File() != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if st := s.Stats(); st.Growing != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestPatchRefused(t *testing.T) {
	s := openStore(t, Options{Dir: t.TempDir(), ReadOnly: true})
	if err := patch(s, "f.bin", "x", Span{0, 1}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		put(t, s, "d/f.bin", []byte("old"))
		if err := patch(s, "../f.bin", "x", Span{0, 1}); !errors.Is(err, ErrName) {
			t.Errorf("a bad name: %v", err)
		}
		if _, err := s.Patch("d/f.bin", Change{Spans: []Span{{0, 1}}, ETag: `"other"`}); !errors.Is(err, ErrChanged) {
			t.Errorf("another version: %v", err)
		}
		p, err := s.Patch("d/f.bin", Change{Spans: []Span{{0, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = p.Write([]byte("x"))
		closeStore(t, s)
		if err := p.Close(); err == nil {
			t.Error("a patch of a closed store succeeded")
		}
		if err := patch(s, "d/f.bin", "x", Span{0, 1}); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed store: %v", err)
		}
	})
}
