package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/headwater-origin/headwater/origin/access"
)

// readPassword asks for a password twice where there is somebody to ask, and
// else takes the first line of standard input.
func readPassword(e env) (string, error) {
	in := e.stdin
	if in == nil {
		in = os.Stdin
	}
	f, ok := in.(*os.File)
	if !ok {
		return passwordLine(in)
	}
	restore, ok := hideTyping(f)
	if !ok {
		return passwordLine(in)
	}
	defer restore()
	first, err := ask(e, f, "Password: ")
	if err != nil {
		return "", err
	}
	if err := access.CheckPassword(first); err != nil {
		return "", usageError{err}
	}
	again, err := ask(e, f, "Again: ")
	if err == nil && again != first {
		err = usageError{errors.New("the two passwords differ")}
	}
	return first, err
}

// ask prompts at a terminal that does not show what is typed. The prompt goes to
// the terminal itself, as standard output may lead elsewhere.
func ask(e env, terminal *os.File, prompt string) (string, error) {
	show := func(text string) {
		if _, err := terminal.WriteString(text); err != nil { // opened for reading only
			fmt.Fprint(e.stdout, text)
		}
	}
	show(prompt)
	defer show("\n") // the one that was typed is not shown
	return passwordLine(typing{e.ctx, terminal})
}

// typing reads a terminal until the context ends, as it does with Ctrl-C.
type typing struct {
	ctx      context.Context
	terminal *os.File
}

func (t typing) Read(p []byte) (int, error) {
	if err := awaitTyping(t.ctx, t.terminal); err != nil {
		return 0, err
	}
	return t.terminal.Read(p)
}

// passwordLine reads one line, which need not end.
func passwordLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, access.MaxPasswordBytes+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", usageError{errors.New("no password given: type it, or write it to standard input")}
	}
	return line, nil
}
