//go:build race

package script

// raced says that the race detector is built in, whose own memory no bound of
// the kernel's may count.
const raced = true
