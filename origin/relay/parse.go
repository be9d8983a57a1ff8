package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// ParseInput returns the input that text names. An error is one line.
//
//   - standard input
//     tcp://host:port             connects
//     tcp://host:port?listen      listens, host may be empty; one sender at a time
//     udp://host:port             receives MPEG-TS, plain or in RTP; ?iface=eth0 for multicast
//     exec:program argument ...   runs a command; '...' and "..." hold an argument with blanks together
//     fifo:path                   a named pipe, which may be made later
//     push:                       uploads: the Input is nil
//     path, file:path             a file, or a named pipe if it is one now
func ParseInput(text string) (Input, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "-":
		return Stdin{}, nil
	case kind == "push" && text == "push:":
		return nil, nil //nolint:nilnil // New takes no input for uploads
	case kind == "exec":
		argv, err := SplitCommand(rest)
		if err == nil {
			_, err = exec.LookPath(argv[0])
		}
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", text, err)
		}
		return &Command{Argv: argv}, nil
	case kind == "fifo" && rest != "":
		return &FIFO{Path: rest}, nil
	case kind == "file":
		return parsePath(strings.TrimPrefix(rest, "//"))
	case strings.HasPrefix(rest, "//") && isScheme(kind):
		return parseAddress(text, kind, rest[2:])
	}
	return parsePath(text)
}

// isScheme says that kind is the name of a network, or a mistaken one, and no
// part of a path.
func isScheme(kind string) bool {
	return strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789+") == "" && kind != ""
}

func parsePath(path string) (Input, error) {
	if path == "" {
		return nil, errors.New("input is empty: give a file, -, tcp://, udp://, exec:, fifo: or push")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("input %q: no such file (a named pipe that is made later is given as fifo:PATH)", path)
	case err != nil:
		return nil, fmt.Errorf("input %q: %w", path, err)
	case info.IsDir():
		return nil, fmt.Errorf("input %q is a directory, not a file", path)
	case info.Mode()&fs.ModeNamedPipe != 0:
		return &FIFO{Path: path}, nil
	}
	return File{Path: path}, nil
}

// networks are the schemes of addresses.
var networks = map[string]string{"tcp": "tcp", "udp": "udp", "rtp": "udp"}

func parseAddress(text, scheme, rest string) (Input, error) {
	network := networks[scheme]
	if network == "" {
		return nil, fmt.Errorf("input %q: %s is not one of tcp, udp, rtp", text, scheme)
	}
	address, query, _ := strings.Cut(rest, "?")
	address = strings.TrimPrefix(strings.TrimSuffix(address, "/"), "@")
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("input %q: what follows the question mark is not key=value", text)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || strings.ContainsAny(host, "/ ") {
		return nil, fmt.Errorf("input %q: the address is not host:port", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("input %q: %q is not a port", text, port)
	}
	if ip := net.ParseIP(host); options.Has("iface") && ip != nil && !ip.IsMulticast() {
		return nil, fmt.Errorf("input %q: iface goes with a multicast group, which %s is not", text, host)
	}
	in, known := addressInput(network, address, options)
	for key := range options {
		if key != known {
			return nil, fmt.Errorf("input %q: unknown option %q", text, key)
		}
	}
	if _, connects := in.(TCP); connects && host == "" {
		return nil, fmt.Errorf("input %q: no host to connect to (to listen, add ?listen)", text)
	}
	return in, nil
}

// addressInput returns the input and the one option that it knows.
func addressInput(network, address string, options url.Values) (in Input, known string) {
	switch {
	case network == "udp":
		return UDP{Address: address, Interface: options.Get("iface")}, "iface"
	case options.Has("listen"):
		return &TCPListen{Address: address}, "listen"
	}
	return TCP{Address: address}, "listen"
}

// SplitCommand splits a command at blanks. Quotes hold an argument together; a
// backslash has no meaning.
func SplitCommand(text string) (argv []string, err error) {
	var arg strings.Builder
	var quote rune
	begun := false
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			arg.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if begun {
				argv = append(argv, arg.String())
			}
			arg.Reset()
			begun = false
		default:
			arg.WriteRune(c)
			begun = true
		}
	}
	if begun {
		argv = append(argv, arg.String())
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("the quote %c has no end", quote)
	case len(argv) == 0 || argv[0] == "":
		return nil, errors.New("no command is given")
	}
	return argv, nil
}
