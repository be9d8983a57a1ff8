package e2e

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the program when the test's process is gone, whatever
// ended that.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
