//go:build !linux

package origin

import (
	"net"
	"time"
)

// quietFor returns how long nothing has come on the connection; here it is not
// known.
func quietFor(*net.TCPConn) (quiet time.Duration, ok bool) { return 0, false }
