package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Errors of Cache.Get.
var (
	// ErrNotSmaller is about a file that is sent as it is.
	ErrNotSmaller = errors.New("compression does not make it smaller")
	ErrCoding     = errors.New("unknown content coding")
)

const (
	// window bounds the memory of a zstd encoder, and of whoever decodes.
	window = 1 << 20
	// bufferMost is the largest buffer that a coder keeps.
	bufferMost = 1 << 20
)

// coder compresses, one file after the other. What it needs it makes once.
type coder struct {
	buf  bytes.Buffer
	gzip *gzip.Writer
	zlib *zlib.Writer
	zstd *zstd.Encoder
}

// compress returns the bytes under the coding, or ErrNotSmaller.
func (c *coder) compress(coding string, data []byte) ([]byte, error) {
	defer c.reset()
	out, err := c.encode(coding, data)
	if err != nil {
		return nil, fmt.Errorf("compress by %s: %w", coding, err)
	}
	if len(out) >= len(data) {
		return nil, ErrNotSmaller
	}
	return slices.Clip(bytes.Clone(out)), nil
}

func (c *coder) reset() {
	c.buf.Reset()
	if c.buf.Cap() > bufferMost {
		c.buf = bytes.Buffer{}
	}
}

func (c *coder) encode(coding string, data []byte) (out []byte, err error) {
	switch coding {
	case Zstd:
		return c.encodeZstd(data)
	case Gzip:
		if c.gzip == nil {
			c.gzip = gzip.NewWriter(&c.buf)
		}
		c.gzip.Reset(&c.buf)
		err = writeAll(c.gzip, data)
	case Deflate:
		if c.zlib == nil {
			c.zlib = zlib.NewWriter(&c.buf)
		}
		c.zlib.Reset(&c.buf)
		err = writeAll(c.zlib, data)
	default:
		err = ErrCoding
	}
	return c.buf.Bytes(), err
}

func (c *coder) encodeZstd(data []byte) (out []byte, err error) {
	if c.zstd == nil {
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
		if err != nil {
			return nil, err
		}
	}
	return c.zstd.EncodeAll(data, c.buf.AvailableBuffer()), nil
}

func writeAll(w io.WriteCloser, data []byte) error {
	_, err := w.Write(data)
	return errors.Join(err, w.Close())
}
