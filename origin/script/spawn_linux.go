package script

import "syscall"

// executable is the program that runs, even when its file was replaced since.
func executable() string { return "/proc/self/exe" }

// sysProcAttr has the system end the child with its parent.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
