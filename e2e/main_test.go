package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds every wait for something that must happen. It is long, since
// a test that passes never uses it up.
const patience = 30 * time.Second

// binary is the program under test, set by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "headwater-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary, err = buildBinary(dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: the tests left a goroutine:", err)
			return 1
		}
	}
	return code
}

// buildBinary builds cmd/headwater into dir and returns its path, or the one
// the environment names.
func buildBinary(dir string) (string, error) {
	if given := os.Getenv("E2E_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(dir, "headwater")
	args := []string{"build", "-o", path}
	if os.Getenv("E2E_RACE") == "1" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/headwater")...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/headwater: %w\n%s", err, out)
	}
	return path, nil
}

// eventually polls cond until it holds and fails the test when it doesn't
// within patience.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
