package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/origin/access"
)

// command runs a command line with something on standard input.
func command(t *testing.T, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	var c cli
	k, _, err := parse(&c, args, io.Discard, io.Discard)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	e := newEnv(t.Context(), &c, k, &out, io.Discard)
	e.stdin = strings.NewReader(stdin)
	err = k.Run(e)
	return out.String(), err
}

func TestUserCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	for _, tt := range []struct{ args, stdin, stdout, err string }{
		{"user add alice", "alice-pw\n", "", ""},
		{"user add bob", "bob-pw", "", ""},
		{"user add alice", "again\n", "", "alice"},
		{"user add a:b", "x\n", "", "colon"},
		{"user add carol", "", "", "no password given"},
		{"user passwd nobody", "x\n", "", "there is no user nobody"},
		{"user passwd bob", "new-pw\n", "", ""},
		{"group add encoders", "", "", ""},
		{"group join encoders bob alice", "", "", ""},
		{"group join encoders carol", "", "", "there is no user carol"},
		{"group leave encoders alice", "", "", ""},
		{"group list", "", "encoders bob\n", ""},
		{"user list", "", "alice\nbob encoders\n", ""},
		{"user remove alice", "", "", ""},
		{"group remove encoders", "", "", ""},
		{"user list", "", "bob\n", ""},
	} {
		out, err := command(t, tt.stdin, append(strings.Fields(tt.args), "--users", file)...)
		if tt.stdout != "" && out != tt.stdout {
			t.Errorf("%s: printed %q, want %q", tt.args, out, tt.stdout)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "-pw") {
		t.Errorf("%v\n%s", err, data)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	users, err := access.OpenUsers(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = users.Close() }()
	if !users.Check(t.Context(), "bob", "new-pw") || users.Check(t.Context(), "bob", "bob-pw") {
		t.Error("the new password is not the one that holds")
	}
}
