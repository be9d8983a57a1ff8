package segstore

import "fmt"

// Span is a range of bytes of a file, from From up to but without To. A To of
// ToEnd, which only the last of several may have, is where the body ends.
type Span struct{ From, To int64 }

// ToEnd is the To of a Span that ends where the body does.
const ToEnd = -1

// mostSpans bounds the spans of a Change.
const mostSpans = 256

// Change is what a patch changes.
type Change struct {
	// Spans are the ranges that the body goes to, one after the other. Each
	// begins within the file or at its end, as those before it leave it.
	Spans []Span
	// ContentType, if set, takes the place of the file's.
	ContentType string
	// ETag, if set, is of the only version that may be patched.
	ETag string
	// Create allows a name that is missing, if the first span begins at 0.
	Create bool
}

func checkSpans(spans []Span) error {
	if len(spans) == 0 || len(spans) > mostSpans {
		return fmt.Errorf("%w: %d ranges, want 1 to %d", ErrSpan, len(spans), mostSpans)
	}
	for i, sp := range spans {
		open := sp.To == ToEnd && i == len(spans)-1
		if sp.From < 0 || sp.To <= sp.From && !open {
			return fmt.Errorf("%w: from %d to %d", ErrSpan, sp.From, sp.To)
		}
	}
	return nil
}

// extent returns how long a file of so many bytes is at least once the spans
// are written, or ErrGap.
func extent(size int64, spans []Span) (int64, error) {
	for _, sp := range spans {
		if sp.From > size {
			return 0, fmt.Errorf("%w: at %d of %d bytes", ErrGap, sp.From, size)
		}
		size = max(size, sp.To)
	}
	return size, nil
}
