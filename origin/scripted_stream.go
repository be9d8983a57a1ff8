package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/headwater-origin/headwater/origin/script"
)

// scriptPiece is the most that a script gets, or gives, at a time.
const scriptPiece = 32 << 10

// scriptStream is content that the script makes while it is sent. If it is not as
// long as the script has announced, the transfer breaks.
func (s *Server) scriptStream(req *request, a *script.Answer) *streamBody {
	buf := make([]byte, scriptPiece)
	size, made := announced(a.Headers), int64(0)
	next := func(ctx context.Context, dst [][]byte) ([][]byte, error) {
		n, err := a.Read(ctx, buf)
		made += int64(n)
		if size >= 0 && (made > size || made < size && errors.Is(err, io.EOF)) {
			err = fmt.Errorf("it announced %d bytes and made %d", size, made)
			s.logError(req, scriptError(err))
			return dst, err
		}
		if n > 0 {
			dst = append(dst, buf[:n])
		}
		return dst, err
	}
	return &streamBody{size: size, done: func() {}, next: next}
}

// announced returns the Content-Length that the script gives, or -1.
func announced(headers []script.Header) int64 {
	for _, h := range headers {
		if n, err := strconv.ParseInt(h.Value, 10, 64); err == nil && n >= 0 && strings.EqualFold(h.Name, "Content-Length") {
			return n
		}
	}
	return -1
}
