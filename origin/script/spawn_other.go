//go:build !linux

package script

import (
	"os"
	"syscall"
)

func executable() string {
	name, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return name
}

// sysProcAttr asks for nothing: here the child ends when its input does.
func sysProcAttr() *syscall.SysProcAttr { return nil }
