package origin

import "syscall"

func writeSocket(fd uintptr, p []byte) (int, error) { return syscall.Write(syscall.Handle(fd), p) }
