package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFile: an upload grows under another name, replaces the file when it is
// whole, and leaves the one before when it broke off.
func TestFile(t *testing.T) {
	for name, c := range map[string]struct{ file, at string }{
		"one file":  {"/out.ts", "out.ts"},
		"directory": {"/below/", "below/live/a.ts"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			at, part := filepath.Join(dir, c.at), filepath.Join(dir, c.at+".part")
			wantNil(t, os.MkdirAll(filepath.Dir(at), 0o755))
			wantNil(t, os.WriteFile(part, []byte("left by a crash"), 0o600))
			o, log := open(t, Options{File: dir + c.file})
			k := take(t, o, upload("live/a.ts"))
			k.write("one")
			eventually(t, "growing", func() bool { b, _ := os.ReadFile(part); return string(b) == "one" })
			if _, err := os.Stat(at); err == nil {
				t.Error("it has its name before it is whole")
			}
			wantNil(t, k.ends(nil))
			if content(t, at) != "one" {
				t.Errorf("it holds %q", content(t, at))
			}
			k = take(t, o, upload("live/a.ts"))
			k.write("tw")
			wantBody(t, k.ends(errBody), errBody)
			if content(t, at) != "one" {
				t.Errorf("after an abort it holds %q", content(t, at))
			}
			wantNil(t, o.Take(t.Context(), upload("live/a.ts"), strings.NewReader("three")))
			if content(t, at) != "three" {
				t.Errorf("it holds %q", content(t, at))
			}
			if got := names(t, filepath.Dir(at)); len(got) != 1 {
				t.Errorf("there is %q", got)
			}
			if !strings.Contains(log.String(), "broke off") {
				t.Errorf("the log does not tell:\n%s", log)
			}
		})
	}
}

// TestFileOutside: no link leads out of the directory.
func TestFileOutside(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	wantNil(t, os.Symlink(out, dir+"/link"))
	o, _ := open(t, Options{File: dir + "/"})
	wantOutput(t, o.Take(t.Context(), upload("link/a.ts"), strings.NewReader("x")), "escapes")
	if got := names(t, out); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}

// TestFileCannotBe: what the file system refuses is the output's failure.
func TestFileCannotBe(t *testing.T) {
	dir := t.TempDir()
	o, _ := open(t, Options{File: dir + "/"})
	wantNil(t, o.Take(t.Context(), upload("a/b"), strings.NewReader("x")))
	wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader("x")), "file exists")
	wantOutput(t, o.Take(t.Context(), upload("a/b/c"), strings.NewReader("x")), "file exists")
	if got := names(t, dir); fmt.Sprint(got) != "[a/b]" {
		t.Errorf("there is %q", got)
	}
}

// TestClosedWhileFileGrows: Close breaks it off.
func TestClosedWhileFileGrows(t *testing.T) {
	dir := t.TempDir()
	o, _ := open(t, Options{File: dir + "/"})
	k := take(t, o, upload("a"))
	k.write("x")
	eventually(t, "growing", func() bool { return o.Stats().Bytes == 1 })
	shut(t, o)
	wantBody(t, k.result(), ErrClosed)
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}
