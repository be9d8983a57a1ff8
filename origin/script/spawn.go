package script

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// marker is set in the environment of a child.
const marker = "HEADWATER_SCRIPT_HOST"

// The codes a child exits with when it ends itself.
const (
	exitTime   = 71 // a built-in function would not stop
	exitMemory = 72
	exitFault  = 73 // the interpreter panicked
	exitWire   = 74 // the parent makes no sense
)

// run starts the child and waits for its end on one thread, for the system ends
// the child with the thread that started it.
func (p *process) run(started, exited chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.exec(); err != nil {
		started <- err
		return
	}
	started <- nil
	exited <- p.cmd.Wait()
}

// exec starts the child with three pipes.
func (p *process) exec() error {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close() //nolint:errcheck // the child has its own
		}
	}()
	inR, inW, err := os.Pipe()
	if err != nil {
		return err
	}
	theirs = append(theirs, inR)
	outR, outW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, inW.Close())
	}
	theirs = append(theirs, outW)
	errR, errW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, inW.Close(), outR.Close())
	}
	theirs = append(theirs, errW)
	p.in, p.out, p.errOut = inW, outR, errR
	p.cmd = &exec.Cmd{Path: executable(), Args: []string{os.Args[0], "script", p.eng.load.path}, Env: environment(),
		Stdin: inR, Stdout: outW, Stderr: errW, SysProcAttr: sysProcAttr()}
	if err := p.cmd.Start(); err != nil {
		return errors.Join(err, inW.Close(), outR.Close(), errR.Close())
	}
	return nil
}

// environment is all a child gets: nothing of the parent's but the time zone,
// in which a script's dates are.
func environment() []string {
	env := []string{marker + "=1", "GOMAXPROCS=2", "GOTRACEBACK=none"}
	if tz, ok := os.LookupEnv("TZ"); ok {
		env = append(env, "TZ="+tz)
	}
	return env
}

// reason says why the child has ended; err is what waiting for it gave. The
// caller holds mu.
func (p *process) reason(err error) error {
	if p.cause != nil {
		return p.cause
	}
	all := strings.TrimSpace(string(p.last))
	said, _, _ := strings.Cut(all, "\n")
	said = oneLine(said, maxText)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	switch {
	case code == exitTime:
		return &scriptError{is: ErrTime, text: said, told: true}
	case code == exitMemory:
		return &scriptError{is: ErrMemory, text: said, told: true}
	case strings.Contains(all, "out of memory") || strings.Contains(all, "cannot allocate memory"):
		return &scriptError{is: ErrMemory, text: said, told: true}
	case err == nil:
		err = errors.New("exit status 0")
	}
	if said == "" {
		return fmt.Errorf("the script's process ended: %w", err)
	}
	return fmt.Errorf("the script's process ended: %w: %s", err, said)
}
