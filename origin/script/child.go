package script

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

// HostMain runs a script's process if this is one, and then does not return.
// The main of a program that uses the package, and the TestMain of its tests,
// call it before anything else.
func HostMain() {
	if os.Getenv(marker) == "" {
		return
	}
	os.Unsetenv(marker) //nolint:errcheck // it is there
	in, out := os.Stdin, os.Stdout
	os.Stdout = os.Stderr // frames alone go to the pipe
	seal()
	debug.SetMaxStack(maxGoStack)
	serve(in, out)
	os.Exit(0)
}

// serve is the child's life: it ends with the parent's pipe, in the goroutine
// that reads it.
func serve(in, out *os.File) {
	r := bufio.NewReaderSize(in, maxBuffer)
	f, err := readFrame(r)
	if err != nil {
		return // the parent has thought better of it
	}
	m, err := decodeLoad(f.body)
	if err != nil || f.kind != kindLoad {
		wireFault(fmt.Errorf("%w: the first is not the script", errWire))
	}
	h := newHost(m, out)
	if !h.load(f, m) {
		return
	}
	go receive(r, h.inbox)
	h.loop()
}

// receive takes the parent's frames. What the loop has not taken is bounded by
// the inbox and the pipe; the parent keeps the rest.
func receive(r *bufio.Reader, inbox chan<- frame) {
	for {
		f, err := readFrame(r)
		if err != nil {
			os.Exit(0)
		}
		inbox <- f
	}
}

// wireFault ends the process when the parent makes no sense.
func wireFault(err error) { exit(exitWire, "from the parent: "+err.Error()) }
