package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/headwater-origin/headwater/origin"
	"github.com/headwater-origin/headwater/segstore"
)

// configOf returns the configuration that serve would start with.
func configOf(t *testing.T, args ...string) origin.Config {
	t.Helper()
	var c cli
	k, _, err := parse(&c, append([]string{"serve"}, args...), io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := c.Serve.config(givenFlags(k))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestServeConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hw.yaml")
	const yaml = "listen: [':1']\nadmin: off\nmemory: 5M\ntimeout: 7\nmounts: [{path: /a}, {path: /b}]\n"
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile, err := origin.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		base   origin.Config
		change func(*origin.Config)
	}{
		{"", origin.DefaultConfig(), func(*origin.Config) {}},
		{"--config " + file, fromFile, func(*origin.Config) {}},
		{"--config " + file + " --listen :2 --memory 0", fromFile, func(c *origin.Config) {
			c.Listen, c.Memory = []string{":2"}, 0
		}},
		{"--listen :2 --listen [::1]:3", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen = []string{":2", "[::1]:3"}
		}},
		{"--port 81", origin.DefaultConfig(), func(c *origin.Config) { c.Listen = []string{":81"} }},
		{"--port 81 --ifce 127.0.0.1 --listen :82", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen = []string{":82", "127.0.0.1:81"}
		}},
		{"--port 81 --ifce ::1", origin.DefaultConfig(), func(c *origin.Config) { c.Listen = []string{"[::1]:81"} }},
		{"--port 81 --ifce [::1]", origin.DefaultConfig(), func(c *origin.Config) { c.Listen = []string{"[::1]:81"} }},
		{"--port 443 --cert c --pkey k", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen, c.ListenTLS, c.Cert, c.PKey = nil, []string{":443"}, "c", "k"
		}},
		{"--listen-tls :443 --cert c --pkey k", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen, c.ListenTLS, c.Cert, c.PKey = nil, []string{":443"}, "c", "k"
		}},
		{"--rdirs /srv", origin.DefaultConfig(), func(c *origin.Config) {
			c.Mounts[0].Store, c.Mounts[0].Write = "/srv", false
		}},
		{"--rdirs /srv --write", origin.DefaultConfig(), func(c *origin.Config) { c.Mounts[0].Store = "/srv" }},
		{"--rdirs /srv --wdir /srv/", origin.DefaultConfig(), func(c *origin.Config) { c.Mounts[0].Store = "/srv" }},
		{"--wdir /in", origin.DefaultConfig(), func(c *origin.Config) { c.Mounts[0].Store, c.Mounts[0].Read = "/in", false }},
		{"--rdirs /out --wdir /in", origin.DefaultConfig(), func(c *origin.Config) {
			r, w := c.Mounts[0], c.Mounts[0]
			r.Store, r.Write = "/out", false
			w.Store, w.Read = "/in", false
			c.Mounts = []origin.Mount{r, w}
		}},
		{"--rdirs /srv/a,/srv/b/ --path /x", origin.DefaultConfig(), func(c *origin.Config) {
			a, b := c.Mounts[0], c.Mounts[0]
			a.Store, a.Write, a.Path = "/srv/a", false, "/x/a"
			b.Store, b.Write, b.Path = "/srv/b/", false, "/x/b"
			c.Mounts = []origin.Mount{a, b}
		}},
		{"--dst http://localhost:8081/a/live.mpd --rdirs temp", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen = []string{"localhost:8081"}
			c.Mounts[0].Path, c.Mounts[0].Store, c.Mounts[0].Write = "/a", "temp", false
		}},
		{"-i x.mp3 --dst http://*/live.mp3 --hold --ice", origin.DefaultConfig(), func(c *origin.Config) {
			c.Listen = []string{":80"}
			m := &c.Mounts[0]
			m.Path, m.Write, m.Relay.Input, m.Relay.Hold, m.Relay.Ice = "/live.mp3", false, "x.mp3", true, true
		}},
		{"--hmode source", origin.DefaultConfig(), func(c *origin.Config) {
			c.Mounts[0].Source.Stdout, c.Mounts[0].Read = true, false
		}},
		{"--hmode=source --source-exec ffplay,-", origin.DefaultConfig(), func(c *origin.Config) {
			c.Mounts[0].Source.Exec, c.Mounts[0].Read = []string{"ffplay,-"}, false
		}},
		{"--cache_control none --hdrs X-A,b", origin.DefaultConfig(), func(c *origin.Config) {
			c.Mounts[0].CacheControl.All, c.Headers = "none", []string{"X-A", "b"}
		}},
		{"--rdirs gmem --write", origin.DefaultConfig(), func(*origin.Config) {}},
		{"--write", origin.DefaultConfig(), func(*origin.Config) {}},
		{"--max_cache_segs -3 --maxs=0", origin.DefaultConfig(), func(c *origin.Config) {
			c.Mounts[0].MaxCacheSegs, c.Mounts[0].MaxUpload = -3, 0
		}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			want := tt.base
			tt.change(&want)
			if d := cmp.Diff(want, configOf(t, strings.Fields(tt.args)...)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestServeEveryFlag(t *testing.T) {
	got := configOf(t, strings.Fields(`--listen :80 --listen-tls :443 --admin :90 --cert c --pkey k --state-dir s
		--memory 1G --max-waiters 3 --timeout 4 --write --path /live --write-from any,10.0.0.1
		--max-cache-segs 6 --max-bytes 7 --maxs 8 --policy first-wins --sync --hold-timeout 9 --upload-timeout 10m
		--viewer-timeout 11ms --max-lag 12 --cors off --concat-ranges --cache-control-manifest m
		--cache-control-segment s --cache-control-init i --cache-control-growing g --cache-control-other o
		--cache-control-future f --cache-control-evicted e --cache-control-never n --cache-control all
		--client-ca ca --h3 --users u --user-agent ua --close --maxc 100 --maxp 6 --trusted-proxies 10.0.0.2
		--block-size 10000 --sutc --reqlog *,REC --access-log - --max-client-errors 21 --hdrs A,b,C,d --quit
		--no-read --ru $ALL --rg r1,r2 --wu w --wg x --client-cert --norange --no-cte --dlist --index a,b --zmax 13
		--js f.js --watch in --push http://a/ --push http://b/,c --blockio --ext mp3 --mime audio/mpeg`)...)
	want := origin.Config{
		Listen: []string{":80"}, ListenTLS: []string{":443"}, Admin: ":90", Cert: "c", PKey: "k", StateDir: "s",
		Memory: 1e9, MaxWaiters: 3, Timeout: origin.Duration(4 * time.Second),
		ClientCA: "ca", H3: true, Users: "u", UserAgent: "ua", Close: true, MaxConns: 100, MaxPeerConns: 6,
		TrustedProxies: []string{"10.0.0.2"}, BlockSize: 10_000, ServerUTC: true, ReqLog: "*,REC", AccessLog: "-",
		MaxClientErrors: 21, Headers: []string{"A", "b", "C", "d"}, JS: "f.js", Quit: true,
		Mounts: []origin.Mount{{
			Store: "gmem", Write: true, Path: "/live", WriteFrom: []string{"any", "10.0.0.1"},
			MaxCacheSegs: 6, MaxBytes: 7, MaxUpload: 8, Policy: origin.Policy(segstore.FirstWins), Sync: true,
			HoldTimeout:   origin.Duration(9 * time.Second),
			UploadTimeout: origin.Duration(10 * time.Minute),
			ViewerTimeout: origin.Duration(11 * time.Millisecond),
			MaxLag:        12, CORS: origin.CORSOff, ConcatRanges: true,
			CacheControl: origin.CacheControl{
				All: "all", Manifest: "m", Segment: "s", Init: "i", Growing: "g", Other: "o", Future: "f", Evicted: "e", Never: "n",
			},
			RU: []string{"$ALL"}, RG: []string{"r1", "r2"}, WU: []string{"w"}, WG: []string{"x"}, ClientCert: true,
			NoRange: true, List: true, Index: []string{"a", "b"}, ZMax: 13, Watch: "in",
			Push: []origin.PushTo{pushTo("http://a/"), pushTo("http://b/,c")}, Relay: origin.DefaultMount().Relay,
			BlockIO: true, Ext: "mp3", MIME: "audio/mpeg",
		}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestServeEveryRelayFlag(t *testing.T) {
	got := configOf(t, strings.Fields(`--input in.mp3 --hold --reopen --max-async-buf 1 --rate 2 --loop --ice --ice-headers A,b
		--title T --metaint 3`)...).Mounts[0].Relay
	want := origin.Relay{
		Input: "in.mp3", Hold: true, Reopen: true, MaxAsyncBuf: 1, Rate: 2, Loop: true, Ice: true,
		IceHeaders: []string{"A", "b"}, Title: "T", MetaInt: 3,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestServeEverySourceFlag(t *testing.T) {
	for args, want := range map[string]origin.Source{
		"--source-exec cat":              {Exec: []string{"cat"}},
		`--source-exec "sh -c 'cat >x'"`: {Exec: []string{"sh", "-c", "cat >x"}},
		"--source-fifo p":                {FIFO: "p"},
		"--source-file f":                {File: "f"},
		"--source-stdout":                {Stdout: true},
		"--source-url http://a/b":        {URL: "http://a/b"},
	} {
		if d := cmp.Diff(want, configOf(t, shellWords(args)...).Mounts[0].Source); d != "" {
			t.Errorf("%s (-want +got):\n%s", args, d)
		}
	}
}

func pushTo(url string) origin.PushTo {
	p := origin.DefaultPush()
	p.URL = url
	return p
}

// TestEveryKeyHasItsFlag holds that what a file can say, flags can say under
// the same name, and that only the mount's flags are in the mount's group.
func TestEveryKeyHasItsFlag(t *testing.T) {
	groupOf := map[string]string{}
	for _, cmd := range kong.Must(&cli{}, flagDefaults(), kong.ExplicitGroups(groups)).Model.Children {
		if cmd.Name == "push" {
			continue // its flags are of its own
		}
		for _, f := range cmd.Flags {
			groupOf[f.Name] = ""
			if f.Group != nil {
				groupOf[f.Name] = f.Group.Key
			}
		}
	}
	var check func(typ reflect.Type, prefix, group string)
	check = func(typ reflect.Type, prefix, group string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := prefix + strings.ReplaceAll(f.Tag.Get("yaml"), "_", "-")
			switch name {
			case "mounts":
				check(reflect.TypeFor[origin.Mount](), "", mountGroup)
				continue
			case "cache-control":
				check(f.Type, name+"-", group)
			case "cache-control--":
				continue // it is cache-control itself
			case "relay":
				check(f.Type, "", group)
				continue
			case "source":
				check(f.Type, "source-", group)
				continue
			case "store":
				name = "rdirs"
			case "hdrs":
				if group == mountGroup {
					continue // the one flag is the server's
				}
			}
			if got, ok := groupOf[name]; !ok || got != group {
				t.Errorf("flag --%s: there %t, group %q, want %q", name, ok, got, group)
			}
		}
	}
	check(reflect.TypeFor[origin.Config](), "", "")
}

func put(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := do(t, req); status != http.StatusCreated {
		t.Errorf("PUT %s: status %d", url, status)
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

func do(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

const listening = `msg=listening url=(\S+)`

func TestServe(t *testing.T) {
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--admin", "off", "--path", "/live")
	url := p.stderr.find(t, listening) + "/live/a.txt"
	put(t, url, "hello")
	if status, body := get(t, url); status != 200 || body != "hello" {
		t.Errorf("GET: %d %q", status, body)
	}
	p.end(t, 0)
	if got := p.stdout.String(); got != "" {
		t.Errorf("stdout %q", got)
	}
}

func TestServeLog(t *testing.T) {
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--admin", "off", "--log-format", "json")
	p.stderr.find(t, `"msg":"listening","url":"(http[^"]+)"`)
	p.end(t, 0)
	p = startProgram(t, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "error")
	p.end(t, 0)
	if got := p.stderr.String(); got != "" {
		t.Errorf("--log-level error, and yet: %s", got)
	}
}

// TestSignals runs the test binary as headwater, since a second signal ends the
// process.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd, stderr := execServe(t)
			url := stderr.find(t, listening)
			put(t, url+"/a.txt", "hello")
			sendSignal(t, cmd, sig)
			if err := cmd.Wait(); err != nil {
				t.Errorf("after one signal: %v\n%s", err, stderr)
			}
		})
		t.Run(sig.String()+" twice", func(t *testing.T) {
			cmd, stderr := execServe(t)
			url := stderr.find(t, listening)
			// An upload without an end holds up the graceful stop.
			body, end := io.Pipe()
			defer end.Close()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/a.txt", body)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				transport := &http.Transport{DisableKeepAlives: true}
				if resp, err := transport.RoundTrip(req); err == nil {
					resp.Body.Close()
				}
			}()
			if _, err := end.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			for status := 0; status != 200; {
				status = head(t, url+"/a.txt")
			}
			sendSignal(t, cmd, sig)
			stderr.find(t, "msg=stopping")
			sendSignal(t, cmd, sig)
			_ = cmd.Wait()
			end.Close()
			<-ended
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != sig {
				t.Errorf("ended with %v, want by the second signal\n%s", cmd.ProcessState, stderr)
			}
		})
	}
}

func execServe(t *testing.T) (*exec.Cmd, *output) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stderr := new(output)
	cmd := exec.CommandContext(t.Context(), exe, "serve", "--listen", "127.0.0.1:0", "--admin", "off")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr
}

func sendSignal(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func head(t *testing.T, url string) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	status, _ = do(t, req)
	return status
}

func TestRequestLog(t *testing.T) {
	p := startProgram(t, "serve", "--listen", "127.0.0.1:0", "--admin", "off", "--reqlog", "GET,REC")
	url := p.stderr.find(t, listening) + "/a.txt"
	put(t, url, "hello")
	get(t, url)
	for _, want := range []string{
		`msg="opening file" .*file=a.txt`, `msg="closing file" .*file=a.txt`,
		`msg="request start" req=\d+ peer=127.0.0.1 method=GET path=/a.txt`,
		`msg="request done" req=\d+ method=GET path=/a.txt status=200 bytes=5 `,
	} {
		p.stderr.find(t, want)
	}
	p.end(t, 0)
	if log := p.stderr.String(); strings.Contains(log, "method=PUT") {
		t.Errorf("PUT was not asked for:\n%s", log)
	}
}
