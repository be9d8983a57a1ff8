//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package access

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The owner stays: root edits the file of the server's user. Who is not root
// has none but their own files to try it on.
func TestOwnerOfTheUsersFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error { return a.AddGroup("a") })
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 12345, 12346
		if err := os.Chown(file, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	edit(t, file, func(a *Accounts) error { return a.AddGroup("b") })
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != uid || int(s.Gid) != gid {
		t.Errorf("%+v", info.Sys())
	}
}
