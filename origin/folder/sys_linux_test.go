package folder

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLeaseTellsOfWriters(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	w1, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w2, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range []*os.File{w1, w2} {
		if got := findWriter(r); got != writerPresent {
			t.Errorf("with %d writers: state %d, want %d", 2-i, got, writerPresent)
		}
		shut(t, w)
	}
	for range 2 { // the lease was given back
		if got := findWriter(r); got != writerAbsent {
			t.Errorf("without a writer: state %d, want %d", got, writerAbsent)
		}
		w, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := findWriter(r); got != writerPresent {
			t.Errorf("with a new writer: state %d, want %d", got, writerPresent)
		}
		shut(t, w)
	}
	shut(t, r)
	if got := findWriter(r); got != writerUnknown {
		t.Errorf("of a closed file: state %d, want %d", got, writerUnknown)
	}
}
