package source

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// afterExit bounds how long what left the process group may keep the command's
// output open.
const afterExit = time.Second

// process is a program that runs, or has ended. Its life: running -> ended (its
// number is still its own, and what it left behind in its group is killed) ->
// reaped.
type process struct {
	// Static.
	cmd  *exec.Cmd
	in   *os.File // the program's standard input
	log  *slog.Logger
	gone chan struct{} // closed once it is reaped; err is set then
	err  error         // *exec.ExitError, or nil if it ended well

	mu     sync.Mutex // guards reaped, and is held while a signal is sent
	reaped bool       // its number may be another's
}

// startProcess starts the command. Somebody must wait for gone.
func startProcess(cmd *exec.Cmd, log *slog.Logger) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	said := &lines{log: log}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = r, said, said, afterExit
	ownGroup(cmd)
	err = cmd.Start()
	_ = r.Close() // the program has its own
	if err != nil {
		_ = w.Close() // nothing was written
		return nil, err
	}
	p := &process{cmd: cmd, in: w, log: log, gone: make(chan struct{})}
	go p.watch(said)
	return p, nil
}

// watch waits for the end of the program.
func (p *process) watch(said *lines) {
	defer close(p.gone)
	if awaitExit(p.cmd) {
		p.signal(killGroup)
		p.mu.Lock()
		p.reaped = true
		p.mu.Unlock()
	}
	err := p.cmd.Wait()
	said.flush()
	if !errors.Is(err, exec.ErrWaitDelay) { // that is about its output
		p.err = err
	}
	p.log.Debug("command ended", "status", p.cmd.ProcessState.String())
}

// signal does something to the program's group while its number is its own.
func (p *process) signal(send func(*exec.Cmd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send(p.cmd)
	}
}

// end asks the program to end, and kills it if it does not, or once hard is
// closed. Its input stays open until then, so that it sees no end of it.
func (p *process) end(times times, hard <-chan struct{}) {
	p.signal(terminateGroup)
	if !waitFor(p.gone, times.grace, hard) {
		p.signal(killGroup)
		if !waitFor(p.gone, times.gone, nil) {
			p.log.Error("the command cannot be killed", "pid", p.cmd.Process.Pid)
		}
	}
	_ = p.in.Close() // nobody is there to read it
}
