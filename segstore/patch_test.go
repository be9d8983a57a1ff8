package segstore

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// patch changes a file in one go and returns the first error.
func patch(s *Store, name, body string, spans ...Span) error {
	p, err := s.Patch(name, Change{Spans: spans})
	if err != nil {
		return err
	}
	for body != "" { // in pieces, to cross the ends of spans
		n := min(len(body), 3)
		if _, err := p.Write([]byte(body[:n])); err != nil {
			break // Close returns it
		}
		body = body[n:]
	}
	err = p.Close()
	if (p.File() != nil) != (err == nil) || p.Replaces() != (p.base != nil) {
		return fmt.Errorf("patched file %v after %w", p.File(), err)
	}
	return err
}

func TestPatch(t *testing.T) {
	const old = "0123456789"
	for _, tt := range []struct {
		name  string
		body  string
		spans []Span
		want  string
		err   error
	}{
		{"within", "abc", []Span{{2, 5}}, "01abc56789", nil},
		{"at the start", "a", []Span{{0, 1}}, "a123456789", nil},
		{"all", "abcdefghij", []Span{{0, 10}}, "abcdefghij", nil},
		{"over the end", "abcdef", []Span{{8, 14}}, "01234567abcdef", nil},
		{"append", "abc", []Span{{10, 13}}, "0123456789abc", nil},
		{"open", "abc", []Span{{4, ToEnd}}, "0123abc789", nil},
		{"open append", "abcdefghi", []Span{{10, ToEnd}}, "0123456789abcdefghi", nil},
		{"open and empty", "", []Span{{4, ToEnd}}, old, nil},
		{"two", "abcde", []Span{{1, 3}, {6, 9}}, "0ab345cde9", nil},
		{"backwards", "abcde", []Span{{6, 9}, {1, 3}}, "0de345abc9", nil},
		{"overlapping", "abcdef", []Span{{1, 4}, {2, 5}}, "0adef56789", nil},
		{"append twice", "abcdef", []Span{{10, 12}, {12, ToEnd}}, "0123456789abcdef", nil},
		{"then open", "abcde", []Span{{0, 2}, {9, ToEnd}}, "ab2345678cde", nil},
		{"gap", "a", []Span{{11, 12}}, old, ErrGap},
		{"gap in the second", "ab", []Span{{10, 11}, {12, 13}}, old, ErrGap},
		{"body too short", "ab", []Span{{2, 5}}, old, ErrLength},
		{"no body", "", []Span{{2, 5}}, old, ErrLength},
		{"body short of the second", "abc", []Span{{2, 5}, {7, 8}}, old, ErrLength},
		{"body too long", "abcd", []Span{{2, 5}}, old, ErrLength},
		{"body longer than both", "abcdefghi", []Span{{2, 5}, {7, 8}}, old, ErrLength},
		{"no span", "a", nil, old, ErrSpan},
		{"negative", "a", []Span{{-1, 1}}, old, ErrSpan},
		{"empty", "", []Span{{3, 3}}, old, ErrSpan},
		{"reversed", "a", []Span{{3, 2}}, old, ErrSpan},
		{"open before the last", "a", []Span{{3, ToEnd}, {1, 2}}, old, ErrSpan},
		{"too many", "", slices.Repeat([]Span{{0, 1}}, mostSpans+1), old, ErrSpan},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, open func(Options) *Store) {
				b := NewBudget(1 << 20)
				s := open(Options{Budget: b})
				before := put(t, s, "d/f.bin", []byte(old)).View()
				if err := patch(s, "d/f.bin", tt.body, tt.spans...); !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				wantContent(t, s, "d/f.bin", []byte(tt.want))
				f, err := s.Lookup("d/f.bin")
				if err != nil {
					t.Fatal(err)
				}
				after := f.View()
				if changed := after.ETag() != before.ETag(); changed != (tt.err == nil) || changed != after.ModTime().After(before.ModTime()) {
					t.Errorf("from %s to %s, from %v to %v", before.ETag(), after.ETag(), before.ModTime(), after.ModTime())
				}
				if got := listed(t, s, "d"); got != fmt.Sprintf("f.bin:%d", len(tt.want)) {
					t.Errorf("the directory has %s", got)
				}
				if err := s.Delete("d/f.bin"); err != nil || b.Used() != 0 || s.Stats().Bytes != 0 {
					t.Errorf("%d bytes are left, %v", b.Used(), err)
				}
			})
		})
	}
}

func TestPatchOfHugeSpans(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxBytes: 1 << 20})
		put(t, s, "f.bin", []byte("x"))
		if err := patch(s, "f.bin", "abc", Span{0, math.MaxInt64}); !errors.Is(err, ErrLength) && !errors.Is(err, ErrOverBudget) {
			t.Fatal(err)
		}
		wantContent(t, s, "f.bin", []byte("x"))
	})
}

func TestPatchIsSeenAtItsEnd(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		d := &diary{t: t}
		s := open(Options{Observers: []Observer{d}})
		old := noise(300<<10, 1)
		w, err := s.Create("seg-1.m4s", Head{Length: -1, ContentType: "video/x"})
		if err != nil {
			t.Fatal(err)
		}
		end(t, w, string(old), nil)
		before, err := s.Lookup("seg-1.m4s")
		if err != nil {
			t.Fatal(err)
		}
		body, err := before.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = body.Close() }()
		p, err := s.Patch("seg-1.m4s", Change{Spans: []Span{{100 << 10, ToEnd}}, ETag: before.View().ETag()})
		if err != nil {
			t.Fatal(err)
		}
		patched := slices.Concat(old[:100<<10], noise(250<<10, 2))
		if _, err := p.Write(patched[100<<10:]); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "seg-1.m4s", old)
		d.want(t, "+growing seg-1.m4s")
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "seg-1.m4s", patched)
		if got := bodyBytes(t, body); !bytes.Equal(got, old) {
			t.Fatalf("who had opened the version before got %d bytes of another", len(got))
		}
		d.want(t, "+growing seg-1.m4s", "+complete seg-1.m4s")
		told, err := bodyOf(d.files[1])
		if err != nil || !bytes.Equal(told, patched) {
			t.Fatalf("observers got %d bytes, %v", len(told), err)
		}
		now, err := s.Lookup("seg-1.m4s")
		if err != nil || now.View().Head().ContentType != "video/x" || p.File().View().ETag() != now.View().ETag() {
			t.Fatalf("%+v, %v", now.View().Head(), err)
		}
		if err := p.Close(); !errors.Is(err, ErrState) {
			t.Fatalf("a second Close: %v", err)
		}
		if _, err := p.Write([]byte("x")); !errors.Is(err, ErrState) {
			t.Fatalf("a Write after Close: %v", err)
		}
		p.Abort(errAborted)
		wantContent(t, s, "seg-1.m4s", patched)
	})
}

func bodyBytes(t *testing.T, b *Body) []byte {
	t.Helper()
	if f := b.OnDisk(); f != nil {
		got := make([]byte, b.Size())
		if _, err := f.ReadAt(got, 0); err != nil {
			t.Fatal(err)
		}
		return got
	}
	return bytes.Join(b.AppendSlices(nil, 0, b.Size()), nil)
}

func TestPatchAborted(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		d := &diary{t: t}
		s := open(Options{Observers: []Observer{d}})
		put(t, s, "f.bin", []byte("old"))
		bytesBefore := s.Stats().Bytes
		p, err := s.Patch("f.bin", Change{Spans: []Span{{0, ToEnd}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		p.Abort(errAborted)
		p.Abort(errAborted)
		wantContent(t, s, "f.bin", []byte("old"))
		d.want(t, "+growing f.bin")
		if st := s.Stats(); st.Bytes != bytesBefore || p.File() != nil {
			t.Fatalf("stats %+v, file %v", st, p.File())
		}
	})
}

// TestPatchLosesNothing patches over what changed the file meanwhile.
func TestPatchLosesNothing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		between func(t *testing.T, s *Store)
		want    string // "" when the name is gone
	}{
		{"upload", func(t *testing.T, s *Store) { put(t, s, "f.bin", []byte("xyz")) }, "xyz"},
		{"patch", func(t *testing.T, s *Store) {
			if err := patch(s, "f.bin", "X", Span{0, 1}); err != nil {
				t.Fatal(err)
			}
		}, "Xld"},
		{"delete", func(t *testing.T, s *Store) {
			if err := s.Delete("f.bin"); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, open func(Options) *Store) {
				s := open(Options{})
				put(t, s, "f.bin", []byte("old"))
				p, err := s.Patch("f.bin", Change{Spans: []Span{{3, ToEnd}}})
				if err != nil {
					t.Fatal(err)
				}
				_, _ = p.Write([]byte("lost"))
				tt.between(t, s)
				if err := p.Close(); !errors.Is(err, ErrChanged) || p.File() != nil {
					t.Fatalf("Close: %v", err)
				}
				if tt.want == "" {
					wantMissing(t, s, "f.bin", Never)
					return
				}
				wantContent(t, s, "f.bin", []byte(tt.want))
			})
		})
	}
}

func TestPatchAndUploadsUnderWay(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -3})
		put(t, s, "live.mpd", []byte("old"))
		m := start(t, s, "live.mpd") // not seen yet
		if err := patch(s, "live.mpd", "O", Span{0, 1}); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, "live.mpd", []byte("Old"))
		end(t, m, "newer", nil)
		wantContent(t, s, "live.mpd", []byte("newer")) // it began after the file that was patched

		put(t, s, "f.bin", []byte("old"))
		p, err := s.Patch("f.bin", Change{Spans: []Span{{0, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		w := start(t, s, "f.bin")
		if err := patch(s, "f.bin", "x", Span{0, 1}); !errors.Is(err, ErrGrowing) {
			t.Fatalf("patch of a growing file: %v", err)
		}
		_, _ = p.Write([]byte("O"))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		sees(t, s, w)
		w.Abort(errAborted)
		wantContent(t, s, "f.bin", []byte("Old"))
	})
}

func TestPatchUnderEveryPolicy(t *testing.T) {
	for _, policy := range []Policy{Overwrite, FirstWins, FirstCompleteWins} {
		eachStore(t, func(t *testing.T, open func(Options) *Store) {
			s := open(Options{Policy: policy})
			put(t, s, "f.bin", []byte("old"))
			if err := patch(s, "f.bin", "new", Span{3, 6}); err != nil {
				t.Fatal(err)
			}
			wantContent(t, s, "f.bin", []byte("oldnew"))
		})
	}
}

// TestPatchesAtRandom compares with the same changes to a slice.
func TestPatchesAtRandom(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		want := noise(3*imageBlock, 9)
		put(t, s, "f.bin", want)
		for i := range 40 {
			from := rand.IntN(len(want) + 1)
			body := noise(rand.IntN(2*imageBlock), uint64(i))
			p, err := s.Patch("f.bin", Change{Spans: []Span{{int64(from), ToEnd}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Write(body); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			want = slices.Concat(want[:from], body, want[min(len(want), from+len(body)):])
			wantContent(t, s, "f.bin", want)
		}
	})
}
