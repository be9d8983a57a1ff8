package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker (-X main.version=...) where a release is built.
var version string

// versionCmd prints one line: program, version, Go version, system.
type versionCmd struct{}

// Run prints it.
func (versionCmd) Run(e env) error {
	_, err := fmt.Fprintf(e.stdout, "headwater %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// versionText returns the linker's version, else the module's, else "devel".
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
