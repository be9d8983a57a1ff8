//go:build !linux

package main

import "os"

// hideTyping is not known here: a password is read as it is.
func hideTyping(*os.File) (restore func(), ok bool) { return nil, false }
