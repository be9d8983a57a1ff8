package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/headwater-origin/headwater/origin/access"
)

// passwordLine reads a line of standard input; asked says that it is a terminal,
// which shows the prompt and not what is typed.
func passwordLine(e env, prompt string) (line string, asked bool, err error) {
	in := e.stdin
	if in == nil {
		in = os.Stdin
	}
	if f, ok := in.(*os.File); ok {
		if restore, ok := hideTyping(f); ok {
			defer restore()
			asked = true
			fmt.Fprint(e.stdout, prompt)
		}
	}
	line, err = bufio.NewReader(io.LimitReader(in, access.MaxPasswordBytes+2)).ReadString('\n')
	if asked {
		fmt.Fprintln(e.stdout)
	}
	line = strings.TrimRight(line, "\r\n")
	if err != nil && !errors.Is(err, io.EOF) {
		return "", asked, fmt.Errorf("read the password: %w", err)
	}
	if line == "" {
		return "", asked, usageError{errors.New("no password given: type it, or write it to standard input")}
	}
	return line, asked, nil
}
