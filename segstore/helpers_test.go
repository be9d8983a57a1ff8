package segstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"
)

var errAborted = errors.New("uploader gone")

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// eachStore runs a test of what all stores promise, over every kind of store.
func eachStore(t *testing.T, test func(t *testing.T, open func(Options) *Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		test(t, func(o Options) *Store { return openStore(t, o) })
	})
	t.Run("directory", func(t *testing.T) {
		test(t, func(o Options) *Store {
			o.Dir = t.TempDir()
			return openStore(t, o)
		})
	})
}

// openStore opens a store that is closed with the test.
func openStore(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet()
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil && !errors.Is(err, ErrUnsaved) {
		t.Errorf("close: %v", err)
	}
}

// start begins an upload.
func start(t *testing.T, s *Store, name string) *Writer {
	t.Helper()
	w, err := s.Create(name, Head{Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// push writes more of an upload.
func push(t *testing.T, w *Writer, body []byte) {
	t.Helper()
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
}

// put uploads a whole file.
func put(t *testing.T, s *Store, name string, body []byte) *File {
	t.Helper()
	w := start(t, s, name)
	push(t, w, body)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.File()
}

// content returns the bytes of the Complete file that the name stands for.
func content(t *testing.T, s *Store, name string) []byte {
	t.Helper()
	f, err := s.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bodyOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func bodyOf(f *File) ([]byte, error) {
	b, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	if osf := b.OnDisk(); osf != nil {
		return io.ReadAll(osf)
	}
	return bytes.Join(b.AppendSlices(nil, 0, b.Size()), nil), nil
}

func wantContent(t *testing.T, s *Store, name string, want []byte) {
	t.Helper()
	if got := content(t, s, name); !bytes.Equal(got, want) {
		t.Fatalf("%s has %d bytes %.20q, want %d bytes %.20q", name, len(got), got, len(want), want)
	}
}

// wantMissing checks that the name has no File, and why.
func wantMissing(t *testing.T, s *Store, name string, why Reason) {
	t.Helper()
	f, err := s.Lookup(name)
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("Lookup(%s) = %v, %v, want a MissingError", name, f, err)
	}
	if missing.Reason != why {
		t.Fatalf("%s is missing for reason %d, want %d", name, missing.Reason, why)
	}
}

// here lists which of the names have a File.
func here(s *Store, names ...string) (found []string) {
	for _, n := range names {
		if _, err := s.Lookup(n); err == nil {
			found = append(found, n)
		}
	}
	return found
}

// until waits for a condition, with a bound.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func seg(i int) string { return fmt.Sprintf("v/seg-%d.m4s", i) }
