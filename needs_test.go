package headwater_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakes is a folder of programs that stands in the place of the machine's own.
type fakes struct {
	t   *testing.T
	dir string
}

// newFakes links the few real programs that e2e/needs.sh itself uses.
func newFakes(t *testing.T) fakes {
	t.Helper()
	f := fakes{t, t.TempDir()}
	for _, name := range []string{"sh", "env", "grep", "head", "mktemp", "rm"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(f.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f fakes) add(name, script string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte("#!"+f.dir+"/sh\n"+script+"\n"), 0o700); err != nil {
		f.t.Fatal(err)
	}
}

// run returns what needs.sh printed, what apt-get was called with, and whether
// it failed.
func (f fakes) run() (out, calls string, failed bool) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), filepath.Join(f.dir, "sh"), "e2e/needs.sh")
	cmd.Env = []string{"PATH=" + f.dir}
	text, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(f.dir, "calls"))
	return string(text), string(log), err != nil
}

// aptGet logs its calls; install makes the programs of the packages.
func (f fakes) aptGet(result string) {
	f.t.Helper()
	f.add("apt-get", fmt.Sprintf(`echo "$@" >>%[1]s/calls
[ "$1" = install ] || exit 0
%[2]s
for p in ffmpeg ffprobe curl nginx mpv ip gcc; do echo "#!%[1]s/sh" >%[1]s/$p; %[3]s +x %[1]s/$p; done`, f.dir, result, chmod(f.t)))
}

func chmod(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chmod")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

const allMissing = "missing: ffmpeg, ffprobe, curl, nginx, mpv, ip, gcc, stdlib.h; "

func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		set    func(fakes)
		out    string
		calls  string
		failed bool
	}{
		{
			name: "all is there",
			set: func(f fakes) {
				for _, p := range []string{"ffmpeg", "ffprobe", "curl", "nginx", "mpv", "ip", "gcc"} {
					f.add(p, "")
				}
				f.aptGet("")
			},
		},
		{
			name:  "all is missing",
			set:   func(f fakes) { f.add("id", "echo 0"); f.aptGet("") },
			out:   "e2e/needs.sh: installing ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev (for ffmpeg, ffprobe, curl, nginx, mpv, ip, gcc, stdlib.h)\n",
			calls: "update\ninstall -y --no-install-recommends ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
		},
		{
			name: "one is missing, not root but sudo",
			set: func(f fakes) {
				f.add("id", "echo 1000")
				f.add("sudo", `[ "$1" = -n ] || exit 1; shift; [ "$1" = true ] || "$@"`)
				f.add("ffmpeg", "")
				f.add("ffprobe", "")
				f.add("nginx", "")
				f.add("mpv", "")
				f.add("ip", "")
				f.add("gcc", "")
				f.aptGet("")
			},
			out:   "e2e/needs.sh: installing curl (for curl)\n",
			calls: "update\ninstall -y --no-install-recommends curl\n",
		},
		{
			name:   "neither root nor sudo",
			set:    func(f fakes) { f.add("id", "echo 1000"); f.aptGet("") },
			out:    "e2e/needs.sh: " + allMissing + "as root, run: apt-get install ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			failed: true,
		},
		{
			name:   "sudo wants a password",
			set:    func(f fakes) { f.add("id", "echo 1000"); f.add("sudo", "exit 1"); f.aptGet("") },
			out:    "e2e/needs.sh: " + allMissing + "as root, run: apt-get install ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			failed: true,
		},
		{
			name:   "no apt-get",
			set:    func(f fakes) { f.add("id", "echo 0") },
			out:    "e2e/needs.sh: " + allMissing + "there is no apt-get here to run: apt-get install ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			failed: true,
		},
		{
			name: "apt-get fails",
			set:  func(f fakes) { f.add("id", "echo 0"); f.aptGet("echo reading; echo E: no network >&2; exit 100") },
			out: "e2e/needs.sh: installing ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev (for ffmpeg, ffprobe, curl, nginx, mpv, ip, gcc, stdlib.h)\n" +
				"e2e/needs.sh: " + allMissing + "this failed (E: no network): apt-get install ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			calls:  "update\ninstall -y --no-install-recommends ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			failed: true,
		},
		{
			name: "installed, and not there",
			set:  func(f fakes) { f.add("id", "echo 0"); f.aptGet("exit 0") },
			out: "e2e/needs.sh: installing ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev (for ffmpeg, ffprobe, curl, nginx, mpv, ip, gcc, stdlib.h)\n" +
				"e2e/needs.sh: " + allMissing + "still, after apt-get install ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			calls:  "update\ninstall -y --no-install-recommends ffmpeg curl nginx-light mpv iproute2 gcc libc6-dev\n",
			failed: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakes(t)
			tt.set(f)
			out, calls, failed := f.run()
			if out != tt.out || failed != tt.failed {
				t.Errorf("failed %t, printed\n%swant %t,\n%s", failed, out, tt.failed, tt.out)
			}
			if calls != tt.calls {
				t.Errorf("apt-get was called with\n%swant\n%s", calls, tt.calls)
			}
		})
	}
}

// TestCIRunsTheReadmesTests holds that the automatic run is what a contributor
// is told to run.
func TestCIRunsTheReadmesTests(t *testing.T) {
	const command = "make test"
	for name, want := range map[string]string{".ci/run": "\n" + command + "\n", "README.md": command, "CONTRIBUTING.md": command} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(data), want) {
			t.Errorf("%s does not name %q", name, command)
		}
	}
}
