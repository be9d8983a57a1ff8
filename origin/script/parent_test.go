package script

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// parent is the process TestParentDies starts: it tells its child's number and
// waits.
func parent(t *testing.T) {
	e, err := New(Options{Path: os.Getenv("SCRIPT_TEST_PARENT"), Time: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	go e.Request(t.Context(), Request{URL: "/loop"}) //nolint:errcheck // it has no answer
	e.mu.Lock()
	fmt.Printf("\nchild %d\n", e.cur.cmd.Process.Pid)
	e.mu.Unlock()
	time.Sleep(time.Hour) // it is killed
}

// startParent starts such a process and returns its child's number.
func startParent(t *testing.T, state string) (cmd *exec.Cmd, child int) {
	t.Helper()
	script := "httpout.on_request = () => 0;\n"
	if state == "looping" {
		script = "httpout.on_request = () => { for (;;); };\n"
	}
	cmd = exec.Command("/proc/self/exe", "-test.run=^TestParentDies$")
	cmd.Env = append(os.Environ(), "SCRIPT_TEST_PARENT="+scriptFile(t, script))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(out); in.Scan(); {
		if n, ok := strings.CutPrefix(in.Text(), "child "); ok {
			fmt.Sscan(n, &child) //nolint:errcheck // 0 is checked for
			break
		}
	}
	if child == 0 {
		t.Fatal("the parent has no child")
	}
	return cmd, child
}
