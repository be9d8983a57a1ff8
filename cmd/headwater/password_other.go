//go:build !linux

package main

import (
	"context"
	"os"
)

// hideTyping is not known here: a password is read as it is.
func hideTyping(*os.File) (restore func(), ok bool) { return nil, false }

func awaitTyping(context.Context, *os.File) error { return nil }
