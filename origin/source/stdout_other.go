//go:build !unix

package source

import (
	"context"
	"io"
	"os"
	"time"
)

// newPolled cannot bound writes here.
func newPolled(ctx context.Context, file *os.File, _ time.Duration) io.Writer {
	return unbounded{ctx, file}
}
