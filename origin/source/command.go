package source

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// command is a program that is run for each upload.
type command struct {
	opt  *Options
	path string // of the program
}

func newCommand(opt *Options) (*command, error) {
	found, err := exec.LookPath(opt.Exec[0])
	if err != nil {
		return nil, fmt.Errorf("the command is not found: %w", err)
	}
	return &command{opt: opt, path: found}, nil
}

func (c *command) name() string              { return "exec:" + c.opt.Exec[0] }
func (c *command) key(Upload) (string, bool) { return "", false }
func (c *command) close() error              { return nil }

func (c *command) open(t *transfer) (sink, error) {
	args, err := fill(c.opt.Exec, t.u)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.path) //nolint:noctx // it is told of the end before it is killed
	cmd.Args, cmd.Env = args, environment(t.u)
	p, err := startProcess(cmd, t.log)
	if err != nil {
		return nil, err
	}
	return newProcessSink(t, p), nil
}

// fill puts what is known of the upload into the arguments.
func fill(argv []string, u Upload) ([]string, error) {
	r := strings.NewReplacer("{name}", u.Name, "{ext}", extOf(u.Name), "{type}", u.ContentType)
	args := []string{argv[0]}
	for _, before := range argv[1:] {
		arg := r.Replace(before)
		if strings.HasPrefix(arg, "-") && !strings.HasPrefix(before, "-") {
			return nil, fmt.Errorf("%w: the command would take %q for an option", ErrName, arg)
		}
		args = append(args, arg)
	}
	return args, nil
}

func environment(u Upload) []string {
	length := ""
	if u.Length >= 0 {
		length = strconv.FormatInt(u.Length, 10)
	}
	return append(os.Environ(),
		"HEADWATER_NAME="+u.Name, "HEADWATER_EXT="+extOf(u.Name), "HEADWATER_TYPE="+u.ContentType,
		"HEADWATER_LENGTH="+length, "HEADWATER_PEER="+strings.ReplaceAll(u.Peer, "\x00", ""))
}

// extOf returns the extension without its dot.
func extOf(name string) string { return strings.TrimPrefix(path.Ext(name), ".") }
