//go:build !linux

package source

import (
	"os/exec"
	"syscall"
)

func ownGroup(*exec.Cmd) {}

// terminateGroup asks the program to end, where there is a way to ask; here it
// has no group of its own.
func terminateGroup(cmd *exec.Cmd) {
	if cmd.Process.Signal(syscall.SIGTERM) != nil {
		killGroup(cmd)
	}
}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // fails when it is gone

// awaitExit cannot tell here: what a program leaves behind stays.
func awaitExit(*exec.Cmd) bool { return false }
