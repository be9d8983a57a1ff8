//go:build !unix

package source

import (
	"errors"
	"os"
)

var errNoPipes = errors.New("there are no named pipes on this system")

func makePipe(string) error             { return errNoPipes }
func mayWrite(string) error             { return errNoPipes }
func openPipe(string) (*os.File, error) { return nil, errNoPipes }
