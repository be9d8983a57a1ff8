//go:build unix

package origin

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestScriptNamesPipe: a named pipe, to which nobody may ever write, holds no
// request up.
func TestScriptNamesPipe(t *testing.T) {
	dir, log := t.TempDir(), new(syncBuffer)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startLogging(t, log, withRules(t, `httpout.on_request = (req) => { req.body = FILE; req.send(); };`, filepath.Join(dir, "pipe")))
	if a := s.do("GET", "/", ""); a.StatusCode != 500 || atLevel(log, "ERROR", "not a regular file") != 1 {
		t.Errorf("%s, log:\n%s", a.Status, log)
	}
}
