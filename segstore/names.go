package segstore

import (
	"fmt"
	"path"
	"strings"
)

// Bounds of a name. They keep every name storable on a common file system.
const (
	maxName      = 1024
	maxComponent = 255
)

// tempPrefix begins the names of files that are being written to a directory.
// No name of a Store has a component that begins like it.
const (
	tempPrefix = ".hw-"
	tempSuffix = ".tmp"
)

// ValidName returns an error that wraps ErrName unless the name is usable: a
// relative path with slashes, of at most 1024 bytes, whose components are
// neither empty nor "." nor "..", have at most 255 bytes, hold no control byte
// and no backslash, and do not begin with ".hw-".
func ValidName(name string) error {
	if why := badName(name); why != "" {
		return fmt.Errorf("%w: %s", ErrName, why)
	}
	return nil
}

// badName returns what is wrong with the name, or "".
func badName(name string) string {
	if len(name) > maxName {
		return "too long"
	}
	for rest, more := name, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, "/")
		if why := badComponent(part); why != "" {
			return why
		}
	}
	return ""
}

func badComponent(part string) string {
	switch {
	case part == "":
		return "empty path component"
	case part == "." || part == "..":
		return "path component " + part
	case len(part) > maxComponent:
		return "path component too long"
	case strings.HasPrefix(part, tempPrefix):
		return "reserved prefix " + tempPrefix
	}
	for i := range len(part) {
		if c := part[i]; c < 0x20 || c == 0x7f || c == '\\' {
			return "control byte or backslash"
		}
	}
	return ""
}

// dirOf returns the directory of a name, "" for the top.
func dirOf(name string) string {
	if d := path.Dir(name); d != "." {
		return d
	}
	return ""
}
