package origin

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headwater-origin/headwater/segstore"
)

func TestDefaultConfigIsValidAndDocumented(t *testing.T) {
	c := DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen:     []string{":8080"},
		Admin:      "127.0.0.1:9090",
		Timeout:    Duration(30 * time.Second),
		MaxWaiters: 10000,
		UserAgent:  "Headwater",
		BlockSize:  256 << 10,

		MaxClientErrors: 20,
		Mounts: []Mount{{
			Path:          "/",
			Store:         "gmem",
			Read:          true,
			Write:         true,
			CTE:           true,
			Index:         []string{"index.html"},
			ZMax:          50_000,
			Relay:         Relay{MaxAsyncBuf: 100_000, MetaInt: 16_000},
			MaxCacheSegs:  5,
			MaxUpload:     50e6,
			HoldTimeout:   Duration(10 * time.Second),
			UploadTimeout: Duration(10 * time.Second),
			ViewerTimeout: Duration(10 * time.Second),
			MaxLag:        16e6,
			CORS:          CORSOn,
		}},
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Errorf("DefaultConfig (-want +got):\n%s", d)
	}
}

func TestDefaultsShareNothing(t *testing.T) {
	a, b := DefaultConfig(), DefaultConfig()
	a.Listen[0], a.Mounts[0].Path, a.Mounts[0].Index[0] = "x", "x", "x"
	if d := cmp.Diff(DefaultConfig(), b); d != "" {
		t.Errorf("a change of one default is seen in another (-want +got):\n%s", d)
	}
}

func TestParseConfigEveryKey(t *testing.T) {
	got, err := ParseConfig("all.yaml", []byte(`
listen: [":80", "[::1]:81"]
listen_tls:
  - 10.0.0.1:443
admin: off
cert: c.pem
pkey: k.pem
state_dir: /var/lib/headwater
memory: 2G
timeout: 90
max_waiters: 7
client_ca: ca.pem
h3: true
users: users.yaml
user_agent: Origin/1
close: true
maxc: 100
maxp: 6
trusted_proxies: [10.0.0.1]
block_size: 10000
sutc: true
reqlog: "*,REC"
access_log: access.json
max_client_errors: 3
hdrs: [X-A, a, X-B, b]
js: rules.js
quit: true
mounts:
  - path: /live
    store: gmem
    read: true
    write: true
    ru: [$ALL]
    rg: [viewers]
    wu: [alice, bob]
    wg: [encoders]
    client_cert: true
    norange: true
    cte: false
    dlist: true
    index: [index.htm, index.html]
    zmax: 1M
    hdrs: [X-C, c]
    watch: /srv/packager
    push:
      - url: https://backup.example/live
        post: true
        ka: false
        hdrs: [X-D, d]
        user_agent: Pusher
        user: alice
        password_file: pw
        cert: client.pem
        pkey: client.key
        ca: ca.pem
        timeout: 5
        max_behind: 2
      - {url: http://other.example/, bearer_file: token}
    write_from: [loopback, 10.0.0.0/8, "2001:db8::1"]
    max_cache_segs: -3
    max_bytes: 64Mi
    maxs: 0
    policy: first-complete-wins
    sync: true
    hold_timeout: 0
    upload_timeout: 500ms
    viewer_timeout: 2.5
    max_lag: 0
    cors: off
    concat_ranges: true
    cache_control:
      manifest: max-age=1
      segment: "max-age=2"
      init: max-age=3
      growing: max-age=4
      other: max-age=5
      future: max-age=6
      evicted: max-age=7
      never: none
  - path: /radio.mp3
    cache_control: no-store
    blockio: true
    ext: mp3
    mime: audio/mpeg
    relay:
      input: radio.mp3
      hold: true
      reopen: true
      max_async_buf: 200000
      rate: 128000
      loop: true
      ice: true
      ice_headers: [ice-Genre, CoolRock]
      title: Radio
      metaint: 8192
  - {path: /exec, write: true, source: {exec: [ffplay, "-"]}}
  - {path: /fifo, write: true, source: {fifo: pipe}}
  - {path: /file, write: true, source: {file: out.mp4}}
  - {path: /stdout, write: true, source: {stdout: true}}
  - {path: /url, write: true, source: {url: "http://other.example/"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(everyKey(), got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, f := range unset(reflect.ValueOf(got), "") {
		// These test an explicit zero against a default that is not, or none
		// against a default that is.
		if f != ".Mounts.MaxUpload" && f != ".Mounts.HoldTimeout" && f != ".Mounts.MaxLag" {
			t.Errorf("%s: this test does not set it", f)
		}
	}
}

// everyKey is what the file of TestParseConfigEveryKey says.
func everyKey() Config {
	return Config{
		Listen: []string{":80", "[::1]:81"}, ListenTLS: []string{"10.0.0.1:443"}, Admin: "off",
		Cert: "c.pem", PKey: "k.pem", StateDir: "/var/lib/headwater", Memory: 2e9,
		Timeout: Duration(90 * time.Second), MaxWaiters: 7,
		ClientCA: "ca.pem", H3: true, Users: "users.yaml", UserAgent: "Origin/1", Close: true,
		MaxConns: 100, MaxPeerConns: 6, TrustedProxies: []string{"10.0.0.1"}, BlockSize: 10_000,
		ServerUTC: true, ReqLog: "*,REC", AccessLog: "access.json", MaxClientErrors: 3,
		Headers: []string{"X-A", "a", "X-B", "b"}, JS: "rules.js", Quit: true,
		Mounts: []Mount{
			everyStoreKey(), everyRelayKey(),
			sourceMount("/exec", Source{Exec: []string{"ffplay", "-"}}), sourceMount("/fifo", Source{FIFO: "pipe"}),
			sourceMount("/file", Source{File: "out.mp4"}), sourceMount("/stdout", Source{Stdout: true}),
			sourceMount("/url", Source{URL: "http://other.example/"}),
		},
	}
}

func everyStoreKey() Mount {
	return Mount{
		Path: "/live", Store: "gmem", Read: true, Write: true,
		WriteFrom: []string{"loopback", "10.0.0.0/8", "2001:db8::1"},
		RU:        []string{"$ALL"}, RG: []string{"viewers"}, WU: []string{"alice", "bob"}, WG: []string{"encoders"},
		ClientCert: true, MaxCacheSegs: -3, MaxBytes: 64 << 20, MaxUpload: 0,
		Policy: Policy(segstore.FirstCompleteWins), Sync: true,
		HoldTimeout: 0, UploadTimeout: Duration(500 * time.Millisecond), ViewerTimeout: Duration(2500 * time.Millisecond),
		MaxLag: 0, CORS: CORSOff, ConcatRanges: true, NoRange: true, CTE: false,
		List: true, Index: []string{"index.htm", "index.html"}, ZMax: 1e6, Headers: []string{"X-C", "c"},
		Watch: "/srv/packager",
		Push: []PushTo{
			{
				URL: "https://backup.example/live", Post: true, Headers: []string{"X-D", "d"}, UserAgent: "Pusher",
				User: "alice", PasswordFile: "pw", Cert: "client.pem", PKey: "client.key", CA: "ca.pem",
				Timeout: Duration(5 * time.Second), MaxBehind: 2,
			},
			{URL: "http://other.example/", KA: true, BearerFile: "token", Timeout: Duration(10 * time.Second), MaxBehind: 3},
		},
		Relay: DefaultMount().Relay,
		CacheControl: CacheControl{
			Manifest: "max-age=1", Segment: "max-age=2", Init: "max-age=3", Growing: "max-age=4",
			Other: "max-age=5", Future: "max-age=6", Evicted: "max-age=7", Never: "none",
		},
	}
}

func everyRelayKey() Mount {
	m := DefaultMount()
	m.Path, m.BlockIO, m.Ext, m.MIME, m.CacheControl.All = "/radio.mp3", true, "mp3", "audio/mpeg", "no-store"
	m.Relay = Relay{
		Input: "radio.mp3", Hold: true, Reopen: true, MaxAsyncBuf: 200_000, Rate: 128_000, Loop: true,
		Ice: true, IceHeaders: []string{"ice-Genre", "CoolRock"}, Title: "Radio", MetaInt: 8192,
	}
	return m
}

func sourceMount(path string, s Source) Mount {
	m := DefaultMount()
	m.Path, m.Write, m.Source = path, true, s
	return m
}

// unset returns the fields below v that have their zero value, in a list those
// that have it in every item.
func unset(v reflect.Value, name string) []string {
	switch {
	case v.Kind() == reflect.Struct:
		var names []string
		for i := range v.NumField() {
			names = append(names, unset(v.Field(i), name+"."+v.Type().Field(i).Name)...)
		}
		return names
	case v.Kind() == reflect.Slice && v.Len() > 0:
		names := unset(v.Index(0), name)
		for i := range v.Len() {
			item := unset(v.Index(i), name)
			names = slices.DeleteFunc(names, func(n string) bool {
				return !slices.ContainsFunc(item, func(zero string) bool { return n == zero || strings.HasPrefix(n, zero+".") })
			})
		}
		return names
	case v.IsZero():
		return []string{name}
	}
	return nil
}

func TestParseConfigDefaults(t *testing.T) {
	mount := func(change func(*Mount)) Config {
		c := DefaultConfig()
		m := DefaultMount()
		change(&m)
		c.Mounts = []Mount{m}
		return c
	}
	for _, tt := range []struct {
		name, yaml string
		want       Config
	}{
		{"empty file", "", DefaultConfig()},
		{"byte order mark", "\xef\xbb\xbfmax_waiters: 10000\n", DefaultConfig()},
		{"comments", "# nothing\n---\n# at all\n", DefaultConfig()},
		{"a mount is read-only", "mounts: [{path: /vod}]", mount(func(m *Mount) { m.Path = "/vod" })},
		{"false is not missing", "mounts: [{write: false}]", mount(func(*Mount) {})},
		{"zero is not missing", "mounts: [{max_cache_segs: 0, maxs: 0}]", mount(func(m *Mount) {
			m.MaxCacheSegs, m.MaxUpload = 0, 0
		})},
		{"a list replaces", "mounts: [{write_from: [any]}]", mount(func(m *Mount) { m.WriteFrom = []string{"any"} })},
		{"one directory, written by one mount", "mounts: [{path: /a, store: /d}, {path: /b, store: /d, write: true}]", func() Config {
			c, a, b := DefaultConfig(), DefaultMount(), DefaultMount()
			a.Path, a.Store = "/a", "/d"
			b.Path, b.Store, b.Write = "/b", "/d", true
			c.Mounts = []Mount{a, b}
			return c
		}()},
		{"TLS alone", "listen_tls: [':443']\ncert: c\npkey: k", func() Config {
			c := DefaultConfig()
			c.Listen, c.ListenTLS, c.Cert, c.PKey = nil, []string{":443"}, "c", "k"
			return c
		}()},
		{"both kinds", "listen: [':80']\nlisten_tls: [':443']\ncert: c\npkey: k", func() Config {
			c := DefaultConfig()
			c.Listen, c.ListenTLS, c.Cert, c.PKey = []string{":80"}, []string{":443"}, "c", "k"
			return c
		}()},
		{"free ports do not clash", "listen: ['127.0.0.1:0', '127.0.0.1:0']", func() Config {
			c := DefaultConfig()
			c.Listen = []string{"127.0.0.1:0", "127.0.0.1:0"}
			return c
		}()},
		{"one port on two hosts", "listen: ['127.0.0.1:80', '[::1]:80', '0.0.0.0:81', '[::1]:81']", func() Config {
			c := DefaultConfig()
			c.Listen = []string{"127.0.0.1:80", "[::1]:80", "0.0.0.0:81", "[::1]:81"}
			return c
		}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseConfig("f", []byte(tt.yaml))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestValidateOfProgramValues is about values that no file can give.
func TestValidateOfProgramValues(t *testing.T) {
	for _, tt := range []struct {
		want   string
		change func(*Config)
	}{
		{"memory: -1 is negative", func(c *Config) { c.Memory = -1 }},
		{"timeout: -1ns is negative", func(c *Config) { c.Timeout = -1 }},
		{"mounts[0].max_bytes: -1 is negative", func(c *Config) { c.Mounts[0].MaxBytes = -1 }},
		{"mounts[0].maxs: -1 is negative", func(c *Config) { c.Mounts[0].MaxUpload = -1 }},
		{"mounts[0].max_lag: -1 is negative", func(c *Config) { c.Mounts[0].MaxLag = -1 }},
		{"mounts[0].hold_timeout: -1ns is negative", func(c *Config) { c.Mounts[0].HoldTimeout = -1 }},
		{"mounts[0].policy: invalid(9)", func(c *Config) { c.Mounts[0].Policy = 9 }},
		{"mounts[0].cors: invalid(9)", func(c *Config) { c.Mounts[0].CORS = 9 }},
	} {
		c := DefaultConfig()
		tt.change(&c)
		if err := c.Validate(); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	write := func(data string) string {
		name := filepath.Join(t.TempDir(), "hw.yaml")
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	c, err := LoadConfig(write("max_waiters: 12\n"))
	if err != nil || c.MaxWaiters != 12 {
		t.Errorf("MaxWaiters %d, err %v", c.MaxWaiters, err)
	}
	bad := write("admin: off\nnope: 1\n")
	if _, err = LoadConfig(bad); err == nil || err.Error() != bad+":2: nope: unknown key" {
		t.Errorf("unknown key: %v", err)
	}
	big := write("#" + strings.Repeat("x", maxConfigBytes))
	if _, err = LoadConfig(big); err == nil || err.Error() != big+": larger than 1048576 bytes" {
		t.Errorf("large file: %v", err)
	}
	if _, err = LoadConfig(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err = LoadConfig(t.TempDir()); err == nil {
		t.Error("a directory: no error")
	}
}
