//go:build !linux

package script

import (
	"os"
	"os/signal"
)

// seal ignores the signal that is meant for the parent.
func seal() { signal.Ignore(os.Interrupt) }

// wall does nothing: here the watch over the heap stands alone.
func wall(int64) {}
