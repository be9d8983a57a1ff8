package compress

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// decode decodes with programs other than those that encoded, where there are.
func decode(coding string, data []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch coding {
	case Gzip:
		r, err = gzip.NewReader(bytes.NewReader(data))
	case Deflate:
		r, err = zlib.NewReader(bytes.NewReader(data))
	case Zstd:
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(data, nil)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func manifest(lines int) []byte {
	return []byte(strings.Repeat("#EXTINF:2.0,\nsegment.m4s\n", lines))
}

func TestCompress(t *testing.T) {
	var used coder // the same for all, and made anew for each
	for _, coding := range Codings() {
		for _, data := range [][]byte{manifest(10), manifest(2000), append(noise(2*bufferMost), manifest(40000)...), manifest(11)} {
			out, err := used.compress(coding, data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(coding, out)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %d bytes came back as %d, %v", coding, len(data), len(got), err)
			}
			again, err := new(coder).compress(coding, data)
			if err != nil || !bytes.Equal(out, again) {
				t.Errorf("%s: other bytes with another coder, %v", coding, err)
			}
			if cap(out) >= len(data) {
				t.Errorf("%s: room for %d bytes for %d of %d", coding, cap(out), len(out), len(data))
			}
			if used.buf.Cap() > bufferMost {
				t.Errorf("%s: a buffer of %d bytes is kept", coding, used.buf.Cap())
			}
		}
		for _, n := range []int{0, 1, 10, 1000} {
			if out, err := used.compress(coding, noise(n)); !errors.Is(err, ErrNotSmaller) || out != nil {
				t.Errorf("%s: noise of %d bytes becomes %d, %v", coding, n, len(out), err)
			}
		}
	}
	if _, err := used.compress("br", manifest(10)); !errors.Is(err, ErrCoding) {
		t.Errorf("br: %v", err)
	}
}

func FuzzCompress(f *testing.F) {
	var c coder
	f.Add(manifest(3))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, coding := range Codings() {
			out, err := c.compress(coding, data)
			if errors.Is(err, ErrNotSmaller) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decode(coding, out); err != nil || !bytes.Equal(got, data) || len(out) >= len(data) {
				t.Fatalf("%s: %v", coding, err)
			}
		}
	})
}
