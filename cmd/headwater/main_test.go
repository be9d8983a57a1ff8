package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// asProgram in the environment makes the test binary be headwater.
const asProgram = "HEADWATER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// output gathers what is printed and lets a test wait for a part of it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits for a match and returns its first group.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m[len(m)-1]
		}
	}
	t.Fatalf("waited in vain for %s in:\n%s", pattern, o)
	return ""
}

// program is runContext under way.
type program struct {
	stdout, stderr output
	stop           context.CancelFunc
	code           chan int
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &program{stop: stop, code: make(chan int, 1)}
	go func() { p.code <- runContext(ctx, args, &p.stdout, &p.stderr) }()
	return p
}

// end stops the program and checks its exit code.
func (p *program) end(t *testing.T, want int) {
	t.Helper()
	p.stop()
	p.wait(t, want)
}

func (p *program) wait(t *testing.T, want int) {
	t.Helper()
	select {
	case code := <-p.code:
		if code != want {
			t.Errorf("exit code %d, want %d; stderr:\n%s", code, want, &p.stderr)
		}
	case <-time.After(patience):
		t.Fatalf("still running; stderr:\n%s", &p.stderr)
	}
	p.stop()
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, data string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good := file("good.yaml", "admin: off\nlisten: ['127.0.0.1:0']\n")
	bad := file("bad.yaml", "admin: off\nmounts:\n  - path: /\n    max_cache_seg: 5\n")
	for args, want := range map[string]string{
		"":                                         `expected one of "serve", "demo", "push", "user", "group", ...`,
		"sreve":                                    `unexpected argument sreve, did you mean "serve"?`,
		"serve now":                                "unexpected argument now",
		"serve --bogus":                            "unknown flag --bogus",
		"serve --max_cache_seg=3":                  `unknown flag --max-cache-seg, did you mean "--max-cache-segs"?`,
		"serve --log-level loud":                   `--log-level must be one of "debug","info","warn","error" but got "loud"`,
		"serve --log-format xml":                   `--log-format must be one of "text","json" but got "xml"`,
		"serve --memory":                           "--memory: has no value",
		"serve --memory much":                      `--memory: "much" is not a size such as 500000, 50M or 64Mi`,
		"serve --timeout soon":                     `--timeout: "soon" is not a duration such as 5s, 500ms, 2m or 30 (seconds)`,
		"serve --max-waiters 0":                    "--max-waiters: 0 is less than 1 (to hold no requests, set hold_timeout of each mount to 0)",
		"serve --listen nope":                      `--listen: "nope" has no port; write host:port or :port`,
		"serve --listen :1 --listen :1":            "--listen: :1 is the same as listen[0] :1",
		"serve --listen-tls :1":                    "--listen-tls: needs cert and pkey",
		"serve --port 9090":                        "--admin: 127.0.0.1:9090 is the same as listen[0] :9090",
		"serve --port x":                           `--port: expected a valid 16 bit uint but got "x"`,
		"serve --port 65536":                       `--port: expected a valid 16 bit uint but got "65536"`,
		"serve --ifce 127.0.0.1":                   "--ifce: needs --port",
		"serve --admin here":                       `--admin: "here" has no port; write host:port or :port`,
		"serve --cert c --listen-tls :1":           "--cert: given without pkey",
		"serve --pkey k --listen-tls :1":           "--pkey: given without cert",
		"serve --cert c --pkey k":                  "--cert: given without listen_tls",
		"serve --rdirs=":                           "--rdirs: names no directory",
		"serve --rdirs gmem":                       "--rdirs: nothing could ever be in gmem without --write",
		"serve --write=false":                      "--rdirs: nothing could ever be in gmem without --write",
		"serve --wdir=":                            "--wdir: names no directory",
		"serve --wdir main.go":                     "--wdir: main.go is a file; a rule file stands in --rdirs",
		"serve --dst localhost:80":                 `--dst: "localhost:80" is not a URL such as http://localhost:8080/live.mp3`,
		"serve --dst https://localhost/a":          "--dst: https needs --cert and --pkey",
		"serve --dst http://a/ --path /b":          "--dst: says what --path says; leave one out",
		"serve --hmode default --source-stdout":    "--hmode: an output for uploads needs source",
		"serve -i - --rdirs d":                     "--rdirs: has no effect with --input",
		"serve --wdir d --rdirs d --write=false":   "--wdir: contradicts --write=false",
		"serve --path live":                        `--path: "live" is not absolute; it begins with /`,
		"serve --write-from=10.0.0.1,me":           `--write-from: "me" is not an address, a prefix such as 10.0.0.0/8, loopback or any`,
		"serve --max-cache-segs many":              `--max-cache-segs: expected a valid 64 bit int but got "many"`,
		"serve --max-bytes 1X":                     `--max-bytes: "1X" is not a size such as 500000, 50M or 64Mi`,
		"serve --maxs 1X":                          `--maxs: "1X" is not a size such as 500000, 50M or 64Mi`,
		"serve --policy last":                      `--policy: "last" is none of overwrite, first-wins, first-complete-wins`,
		"serve --hold-timeout x":                   `--hold-timeout: "x" is not a duration such as 5s, 500ms, 2m or 30 (seconds)`,
		"serve --upload-timeout 0":                 "--upload-timeout: must be more than 0",
		"serve --viewer-timeout 0":                 "--viewer-timeout: must be more than 0",
		"serve --max-lag x":                        `--max-lag: "x" is not a size such as 500000, 50M or 64Mi`,
		"serve --cors maybe":                       `--cors: "maybe" is none of auto, on, off`,
		"serve --cache-control-init=a\x01":         `--cache-control-init: "a\x01" has a control character in it`,
		"serve --config " + dir + "/none":          "config: open " + dir + "/none: no such file or directory",
		"serve --config " + bad:                    bad + ":4: mounts[0].max_cache_seg: unknown key",
		"serve --maxs 3 --config " + good:          "--maxs: cannot stand beside --config; say it in a mount of " + good,
		"serve --admin x --config " + good:         `--admin: "x" has no port; write host:port or :port`,
		"serve --port 0 --cert c --config " + good: "--cert: given without pkey",
		"demo --listen nope":                       `--listen: "nope" has no port; write host:port or :port`,
		"demo --for -1s":                           "--for: -1s is negative",
		"demo --for soon":                          `--for: expected duration but got "soon": time: invalid duration "soon"`,
		"version --maxs 1":                         "unknown flag --maxs",
	} {
		t.Run(args, func(t *testing.T) {
			// Should a server be started all the same, it stops at once.
			ctx, stop := context.WithCancel(t.Context())
			stop()
			var stdout, stderr bytes.Buffer
			code := runContext(ctx, strings.Fields(args), &stdout, &stderr)
			if got, want := stderr.String(), "headwater: "+want+"\n"; got != want {
				t.Errorf("\n got %swant %s", got, want)
			}
			if code != 2 || stdout.Len() > 0 {
				t.Errorf("exit code %d, stdout %q", code, &stdout)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"--help":       "Run an origin.",
		"serve --help": "Largest upload; 0: any (50M).",
		"demo --help":  "(127.0.0.1:8080)",
	} {
		var stdout, stderr bytes.Buffer
		code := runContext(t.Context(), strings.Fields(args), &stdout, &stderr)
		if code != 0 || stderr.Len() > 0 || !strings.Contains(stdout.String(), want) {
			t.Errorf("%s: exit code %d, stderr %q, stdout without %q:\n%s", args, code, &stderr, want, &stdout)
		}
	}
}

func TestVersion(t *testing.T) {
	defer func(v string) { version = v }(version)
	version = "1.2.3"
	var stdout, stderr bytes.Buffer
	code := runContext(t.Context(), []string{"version"}, &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 || !regexp.MustCompile(`^headwater 1\.2\.3 \(go\S+, \w+/\w+\)\n$`).Match(stdout.Bytes()) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
	version = ""
	if versionText() == "" {
		t.Error("no version at all without the linker's")
	}
}

func TestPlainFlags(t *testing.T) {
	for in, want := range map[string]string{
		"serve --max_cache_segs 5":   "serve --max-cache-segs 5",
		"--state_dir=/a_b/--c_d":     "--state-dir=/a_b/--c_d",
		"--rdirs a_b -x_y z_z":       "--rdirs a_b -x_y z_z",
		"--a_b -- --c_d --e_f=g_h":   "--a-b -- --c_d --e_f=g_h",
		"--hold_timeout=1s --a_b_c=": "--hold-timeout=1s --a-b-c=",
		"--max_cache_segs -30 --a_b": "--max-cache-segs=-30 --a-b",
		"--a_b=c -5 --for -1s":       "--a-b=c -5 --for=-1s",
		"--a -h --b --c -5":          "--a -h --b --c=-5",
		"--a -- --b -5":              "--a -- --b -5",
		"-5 --a":                     "-5 --a",
	} {
		if got := strings.Join(plainFlags(strings.Fields(in)), " "); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// takenPort returns an address that is in use until the test ends.
func takenPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestRunTimeErrors(t *testing.T) {
	addr := takenPort(t)
	for args, want := range map[string]string{
		"serve --listen " + addr + " --admin off":                                                addr + `.*address already in use`,
		"serve --listen 127.0.0.1:0 --admin " + addr:                                             addr + `.*address already in use`,
		"serve --listen 127.0.0.1:0 --admin off --rdirs " + t.TempDir() + "/no":                  "/no: no such file or directory",
		"serve --listen-tls 127.0.0.1:0 --admin off --cert /nowhere/c.pem --pkey /nowhere/k.pem": "/nowhere/c.pem: no such file or directory",
		"demo --listen " + addr: addr + `.*address already in use; try --listen 127\.0\.0\.1:0`,
	} {
		t.Run(args, func(t *testing.T) {
			p := startProgram(t, strings.Fields(args)...)
			p.wait(t, 1)
			if got := p.stderr.String(); !regexp.MustCompile(`^headwater: .*` + want + `\n$`).MatchString(got) {
				t.Errorf("stderr %q, want one line with %s", got, want)
			}
			if got := p.stdout.String(); got != "" {
				t.Errorf("stdout %q", got)
			}
		})
	}
}
