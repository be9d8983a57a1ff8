package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// editVar makes this test's binary a process that edits: its value is the file
// and a name.
const editVar = "HEADWATER_TEST_EDIT"

// TestEditor adds groups to a file, in a process of its own.
func TestEditor(t *testing.T) {
	file, name, ok := strings.Cut(os.Getenv(editVar), "|")
	if !ok {
		return
	}
	for i := range 10 {
		edit(t, file, func(a *Accounts) error { return a.AddGroup(fmt.Sprintf("%s%d", name, i)) })
	}
}

// Processes that change a file at once lose nothing, and who reads meanwhile
// sees a whole file always.
func TestProcessesThatEditAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("first") })
	done := make(chan error, 3)
	for i := range cap(done) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEditor$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|p%d-", editVar, file, i))
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			done <- err
		}()
	}
	for left := cap(done); left > 0; {
		select {
		case err := <-done:
			left--
			if err != nil {
				t.Error(err)
			}
		default:
			if a, err := ReadAccounts(file); err != nil || len(a.Groups()) == 0 {
				t.Fatalf("a reader sees %v, %v", a, err)
			}
		}
	}
	a, err := ReadAccounts(file)
	if err != nil || len(a.Groups()) != 1+10*cap(done) {
		t.Errorf("%d groups, %v", len(a.Groups()), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*tmp*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestModeOfTheUsersFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	add := func(name string) { edit(t, file, func(a *Accounts) error { return a.AddGroup(name) }) }
	mode := func(name string) fs.FileMode {
		t.Helper()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	add("a")
	if got, lock := mode(file), mode(file+".lock"); got != 0o600 || lock != 0o600 {
		t.Errorf("%o, lock %o", got, lock)
	}
	// What the operator chose is kept: the server may be another user.
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	add("b")
	if got := mode(file); got != 0o640 {
		t.Errorf("%o", got)
	}
}

// A link to the file stays one, and what it leads to is changed.
func TestEditThroughALink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("a") })
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	edit(t, link, func(a *Accounts) error { return a.AddGroup("b") })
	a, err := ReadAccounts(file)
	if err != nil || len(a.Groups()) != 2 {
		t.Errorf("%v, %v", a, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

// Whatever goes wrong, the file is as it was, and nothing is left beside it.
func TestEditsThatFail(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "users.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("before") })
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	refused := errors.New("no")
	for what, try := range map[string]func() error{
		"the change": func() error { return Edit(t.Context(), file, func(*Accounts) error { return refused }) },
		"the context": func() error {
			return Edit(ctx, file, func(a *Accounts) error { cancel(); return a.AddGroup("after") })
		},
		"no directory": func() error {
			return Edit(t.Context(), filepath.Join(dir, "none", "users.yaml"), func(a *Accounts) error { return a.AddGroup("x") })
		},
		"a directory": func() error {
			return Edit(t.Context(), dir, func(a *Accounts) error { return a.AddGroup("x") })
		},
	} {
		if err := try(); err == nil || what == "the change" && !errors.Is(err, refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("%s, %v", after, err)
	}
	if err := os.WriteFile(file, []byte("users: [broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Edit(t.Context(), file, func(*Accounts) error { return nil }); !errors.As(err, new(*FileError)) {
		t.Errorf("a broken file is written over: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*tmp*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// Who cannot have the lock waits no longer than the context.
func TestEditWaitsForTheLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	unlock, err := lockFile(t.Context(), file+".lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*lockEvery)
	defer cancel()
	if err := Edit(ctx, file, func(*Accounts) error { return nil }); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another is changing") {
		t.Errorf("%v", err)
	}
	done := make(chan error, 1)
	go func() { done <- Edit(t.Context(), file, func(a *Accounts) error { return a.AddGroup("g") }) }()
	time.Sleep(2 * lockEvery)
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Comments are not kept, and the file says so.
func TestTheFileTellsOfComments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("g") })
	data, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(data), "# ") || !strings.Contains(string(data), "comments are not kept") {
		t.Errorf("%s, %v", data, err)
	}
}

func TestFilesThatAreTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("#"+strings.Repeat("x", maxFileBytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAccounts(file); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
	if _, err := LoadRules(file); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
	if _, err := ReadAccounts(file + "-none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
