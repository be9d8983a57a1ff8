//go:build !linux

package push

import (
	"syscall"
	"time"
)

// boundUnacked does nothing here: the request's own timeout remains.
func boundUnacked(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
