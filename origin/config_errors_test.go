package origin

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestParseConfigErrors has a wrong value for every key; TestErrorsCoverKeys
// holds it to that.
func TestParseConfigErrors(t *testing.T) {
	for _, tt := range configErrors {
		t.Run(tt.want, func(t *testing.T) {
			_, err := ParseConfig("f", []byte(tt.yaml))
			if err == nil {
				t.Fatalf("%s: no error", tt.yaml)
			}
			if err.Error() != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.yaml, err, tt.want)
			}
			var ce *ConfigError
			if !errors.As(err, &ce) {
				t.Errorf("a %T, want a *ConfigError", err)
			}
		})
	}
}

var configErrors = []struct{ yaml, want string }{
	// The file as such.
	{"listen: [':80'\nadmin: off\n", "f:2: ',' or ']' must be specified"},
	{"\tlisten: []\n", "f:1: tab character cannot use as a map key directly"},
	{"- listen\n", "f:1: must be a mapping (key: value)"},
	{"just words\n", "f:1: must be a mapping (key: value)"},
	{"admin: off\nadmin: off\n", `f:2: mapping key "admin" already defined at [1:1]`},
	{"admin: off\n---\nadmin: off\n", "f:3: a second document; a configuration is one"},
	{"admin: &a off\n", "f:1: admin: anchors, aliases, tags and directives are not supported"},
	{"admin: *a\n", "f:1: admin: anchors, aliases, tags and directives are not supported"},
	{"admin: !!str off\n", "f:1: admin: anchors, aliases, tags and directives are not supported"},
	{"<<: {admin: off}\n", "f:1: <<: unknown key"},

	// Keys nobody knows.
	{"admin: off\nlisten_on: [':80']\n", "f:2: listen_on: unknown key"},
	{"Listen: [':80']\n", "f:1: Listen: unknown key"},
	{"mounts:\n  - path: /a\n  - path: /b\n    max_cache_seg: 5\n", "f:4: mounts[1].max_cache_seg: unknown key"},
	{"mounts:\n  - cache_control:\n      manifests: none\n", "f:3: mounts[0].cache_control.manifests: unknown key"},
	{"1: 2\n", "f:1: 1: unknown key"},
	{"\x00: 2\n", "f:1: ?: unknown key"},
	{"unknown_b: 1\nunknown_a: 2\n", "f:1: unknown_b: unknown key"},
	{"mounts:\n  - {cors: maybe, bogus: 1}\nnope: 1\n", `f:2: mounts[0].cors: "maybe" is none of auto, on, off`},

	// listen, listen_tls, admin
	{"listen: ':80'\n", "f:1: listen: must be a list (- item, or [item, item])"},
	{"listen:\n", "f:1: listen: has no value"},
	{"listen: []\n", "f:1: listen: no address to listen on, here or in listen_tls"},
	{"listen:\n  - ':80'\n  - 8080\n", `f:3: listen[1]: "8080" has no port; write host:port or :port`},
	{"listen: ['::1:80']\n", `f:1: listen[0]: "::1:80" is not host:port; an IPv6 host stands in brackets`},
	{"listen: ['a b:80']\n", `f:1: listen[0]: "a b:80" is not host:port`},
	{"listen: [':http']\n", `f:1: listen[0]: ":http" has a port that is not a number from 0 to 65535`},
	{"listen: [':65536']\n", `f:1: listen[0]: ":65536" has a port that is not a number from 0 to 65535`},
	{"listen:\n  - ':80'\n  - ':81'\n  - ':80'\n", "f:4: listen[2]: :80 is the same as listen[0] :80"},
	{"listen: ['LOCALHOST:80', 'localhost:80']\n", "f:1: listen[1]: localhost:80 is the same as listen[0] LOCALHOST:80"},
	{"listen: ['127.0.0.1:80', ':80']\n", "f:1: listen[1]: :80 is the same as listen[0] 127.0.0.1:80"},
	{"listen: ['[::]:80', '0.0.0.0:80']\n", "f:1: listen[1]: 0.0.0.0:80 is the same as listen[0] [::]:80"},
	{"listen: [':80']\nlisten_tls: [':80']\ncert: c\npkey: k\n", "f:2: listen_tls[0]: :80 is the same as listen[0] :80"},
	{"listen_tls: [nope]\ncert: c\npkey: k\n", `f:1: listen_tls[0]: "nope" has no port; write host:port or :port`},
	{"listen: [':9090']\n", "f: admin: 127.0.0.1:9090 is the same as listen[0] :9090"},
	{"admin: yes\n", `f:1: admin: "yes" has no port; write host:port or :port`},
	{"admin: [':1']\n", "f:1: admin: must be a single value"},

	// cert, pkey, state_dir
	{"listen_tls: [':443']\n", "f:1: listen_tls: needs cert and pkey"},
	{"listen_tls: [':443']\ncert: c.pem\n", "f:2: cert: given without pkey"},
	{"listen_tls: [':443']\npkey: k.pem\n", "f:2: pkey: given without cert"},
	{"cert: c.pem\npkey: k.pem\n", "f:1: cert: given without listen_tls"},
	{"state_dir: {a: b}\n", "f:1: state_dir: must be a single value"},

	// Numbers.
	{"memory: lots\n", `f:1: memory: "lots" is not a size such as 500000, 50M or 64Mi`},
	{"memory: -1\n", `f:1: memory: "-1" is not a size such as 500000, 50M or 64Mi`},
	{"memory: 99999999T\n", `f:1: memory: "99999999T" is too large`},
	{"timeout: soon\n", `f:1: timeout: "soon" is not a duration such as 5s, 500ms, 2m or 30 (seconds)`},
	{"timeout: -5\n", `f:1: timeout: "-5" is negative`},
	{"max_waiters: many\n", `f:1: max_waiters: "many" is not a whole number`},
	{"max_waiters: 1.5\n", `f:1: max_waiters: "1.5" is not a whole number`},
	{"max_waiters: 0\n", "f:1: max_waiters: 0 is less than 1 (to hold no requests, set hold_timeout of each mount to 0)"},

	{"maxc: -1\n", "f:1: maxc: -1 is negative; 0 means no bound"},
	{"maxp: few\n", `f:1: maxp: "few" is not a whole number`},
	{"max_client_errors: -2\n", "f:1: max_client_errors: -2 is negative; 0 means no bound"},
	{"block_size: 10\n", "f:1: block_size: 10 is not between 1K and 16Mi"},

	// client_ca, h3, users and the rest of the server.
	{"client_ca: ca.pem\n", "f:1: client_ca: given without listen_tls"},
	{"h3: true\n", "f:1: h3: needs listen_tls, cert and pkey"},
	{"users: [a]\n", "f:1: users: must be a single value"},
	{"user_agent: \"a\\r\\nb\"\n", `f:1: user_agent: "a\r\nb" has a control character in it`},
	{"close: 1\n", `f:1: close: "1" is neither true nor false`},
	{"trusted_proxies: [proxy]\n", `f:1: trusted_proxies[0]: "proxy" is not an address, a prefix such as 10.0.0.0/8, loopback or any`},
	{"sutc: yes\n", `f:1: sutc: "yes" is neither true nor false`},
	{"reqlog: GET,PULL\n", `f:1: reqlog: "PULL" is none of *, GET, HEAD, PUT, POST, DEL, OPT, REC`},
	{"access_log: {}\n", "f:1: access_log: must be a single value"},
	{"hdrs: [X-A]\n", "f:1: hdrs: has a name without a value: it is name, value, name, value"},
	{"hdrs: [X A, b]\n", `f:1: hdrs: "X A" is not the name of a header`},
	{"hdrs: [X-A, \"b\\n\"]\n", `f:1: hdrs: "b\n" is not the value of a header`},
	{"hdrs: [Content-Length, '5']\n", "f:1: hdrs: Content-Length is not for the configuration: it says where a reply ends"},
	{"quit: maybe\n", `f:1: quit: "maybe" is neither true nor false`},

	// Mounts.
	{"mounts: {path: /}\n", "f:1: mounts: must be a list (- item, or [item, item])"},
	{"mounts: []\n", "f:1: mounts: none given"},
	{"mounts:\n  - path: /\n  -\n", "f:3: mounts[1]: has no value"},
	{"mounts: [/live]\n", "f:1: mounts[0]: must be a mapping (key: value)"},
	{"mounts:\n  - path: live\n", `f:2: mounts[0].path: "live" is not absolute; it begins with /`},
	{"mounts:\n  - path: /live/\n", `f:2: mounts[0].path: "/live/" is not clean; write /live`},
	{"mounts:\n  - path: /a/../b\n", `f:2: mounts[0].path: "/a/../b" is not clean; write /b`},
	{"mounts:\n  - path: /a%20b\n", `f:2: mounts[0].path: "/a%20b" has one of ? # % \ in it`},
	{"mounts:\n  - path: \"/a\\nb\"\n", `f:2: mounts[0].path: "/a\nb" has a control character in it`},
	{"mounts:\n  - path: /a\n  - path: /b\n  - path: /a\n", "f:4: mounts[2].path: /a is the path of mounts[0] too"},
	{"mounts:\n  - write: true\n  - store: gmem\n", "f:3: mounts[1].path: / is the path of mounts[0] too"},
	{"mounts:\n  - store: ''\n", `f:2: mounts[0].store: "" is neither gmem nor a directory`},
	{"mounts:\n  - {path: /a, store: /d, write: true}\n  - {path: /b, store: /d/, write: true}\n", "f:3: mounts[1].store: /d/ is written by mounts[0] too"},
	{"mounts:\n  - write: yes\n", `f:2: mounts[0].write: "yes" is neither true nor false`},
	{"mounts:\n  - write_from: any\n", "f:2: mounts[0].write_from: must be a list (- item, or [item, item])"},
	{"mounts:\n  - write_from:\n      - any\n      - example.com\n", `f:4: mounts[0].write_from[1]: "example.com" is not an address, a prefix such as 10.0.0.0/8, loopback or any`},
	{"mounts:\n  - read: false\n", "f:2: mounts[0].read: the mount is neither read nor written"},
	{"mounts:\n  - {path: /a, read: false, write: true}\n  - {path: /a, write: true}\n", "f:3: mounts[1].path: /a is the path of mounts[0] too"},
	{"mounts:\n  - ru: [alice]\n", "f:2: mounts[0].ru: users or groups are named here or in wu, rg, wg: the server needs the file with them (users)"},
	{"users: u\nmounts:\n  - rg: ['']\n", `f:3: mounts[0].rg[0]: "" is neither a name nor $ALL nor $NONE`},
	{"users: u\nmounts:\n  - wu: [$SOME]\n", `f:3: mounts[0].wu[0]: "$SOME" is neither a name nor $ALL nor $NONE`},
	{"users: u\nmounts:\n  - wg: encoders\n", "f:3: mounts[0].wg: must be a list (- item, or [item, item])"},
	{"mounts:\n  - client_cert: true\n", "f:2: mounts[0].client_cert: needs client_ca"},
	{"mounts:\n  - norange: 1\n", `f:2: mounts[0].norange: "1" is neither true nor false`},
	{"mounts:\n  - cte: 0\n", `f:2: mounts[0].cte: "0" is neither true nor false`},
	{"mounts:\n  - dlist: html\n", `f:2: mounts[0].dlist: "html" is neither true nor false`},
	{"mounts:\n  - index: [a/b]\n", `f:2: mounts[0].index[0]: "a/b" is not a file name`},
	{"mounts:\n  - zmax: big\n", `f:2: mounts[0].zmax: "big" is not a size such as 500000, 50M or 64Mi`},
	{"mounts:\n  - hdrs: [a, b, c]\n", "f:2: mounts[0].hdrs: has a name without a value: it is name, value, name, value"},
	{"js: [a]\n", "f:1: js: must be a single value"},
	{"mounts:\n  - {store: /srv, watch: /in}\n", "f:2: mounts[0].watch: needs store: gmem"},
	{"mounts:\n  - blockio: 2\n", `f:2: mounts[0].blockio: "2" is neither true nor false`},
	{"mounts:\n  - ext: \"\\n\"\n", `f:2: mounts[0].ext: "\n" has a control character in it`},
	{"mounts:\n  - mime: \"\\n\"\n", `f:2: mounts[0].mime: "\n" has a control character in it`},

	// push
	{"mounts:\n  - push: http://a\n", "f:2: mounts[0].push: must be a list (- item, or [item, item])"},
	{"mounts:\n  - push: [{url: a}]\n", `f:2: mounts[0].push[0].url: "a" is not an http or https URL`},
	{"mounts:\n  - push: [{post: 1}]\n", `f:2: mounts[0].push[0].post: "1" is neither true nor false`},
	{"mounts:\n  - push: [{ka: 1}]\n", `f:2: mounts[0].push[0].ka: "1" is neither true nor false`},
	{"mounts:\n  - push: [{hdrs: [a]}]\n", "f:2: mounts[0].push[0].hdrs: has a name without a value: it is name, value, name, value"},
	{"mounts:\n  - push: [{user_agent: []}]\n", "f:2: mounts[0].push[0].user_agent: must be a single value"},
	{"mounts:\n  - push: [{user: u}]\n", "f:2: mounts[0].push[0].user: given without password_file"},
	{"mounts:\n  - push: [{password_file: u}]\n", "f:2: mounts[0].push[0].password_file: given without user"},
	{"mounts:\n  - push: [{user: u, password_file: p, bearer_file: b}]\n", "f:2: mounts[0].push[0].bearer_file: cannot stand beside user"},
	{"mounts:\n  - push: [{cert: c}]\n", "f:2: mounts[0].push[0].cert: cert and pkey stand together"},
	{"mounts:\n  - push: [{pkey: []}]\n", "f:2: mounts[0].push[0].pkey: must be a single value"},
	{"mounts:\n  - push: [{ca: []}]\n", "f:2: mounts[0].push[0].ca: must be a single value"},
	{"mounts:\n  - push: [{timeout: 0}]\n", "f:2: mounts[0].push[0].timeout: must be more than 0"},
	{"mounts:\n  - push: [{max_behind: 0}]\n", "f:2: mounts[0].push[0].max_behind: 0 is less than 1"},

	// relay and source
	{"mounts:\n  - relay: radio.mp3\n", "f:2: mounts[0].relay: must be a mapping (key: value)"},
	{"mounts:\n  - {source: {stdout: true}}\n", "f:2: mounts[0].write: must be true: what is uploaded here is what this mount is for"},
	{"mounts:\n  - {relay: {input: put}}\n", "f:2: mounts[0].write: must be true: what is uploaded here is what this mount is for"},
	{"mounts:\n  - {write: true, relay: {input: '-'}, source: {stdout: true}}\n", "f:2: mounts[0].relay: a mount cannot be a source, too"},
	{"mounts:\n  - {store: /srv, relay: {input: '-'}}\n", "f:2: mounts[0].store: /srv would not be used: a relay or a source stores nothing"},
	{"mounts:\n  - relay: {input: []}\n", "f:2: mounts[0].relay.input: must be a single value"},
	{"mounts:\n  - relay: {hold: 1}\n", `f:2: mounts[0].relay.hold: "1" is neither true nor false`},
	{"mounts:\n  - relay: {reopen: 1}\n", `f:2: mounts[0].relay.reopen: "1" is neither true nor false`},
	{"mounts:\n  - relay: {max_async_buf: x}\n", `f:2: mounts[0].relay.max_async_buf: "x" is not a size such as 500000, 50M or 64Mi`},
	{"mounts:\n  - relay: {rate: x}\n", `f:2: mounts[0].relay.rate: "x" is not a size such as 500000, 50M or 64Mi`},
	{"mounts:\n  - relay: {loop: 1}\n", `f:2: mounts[0].relay.loop: "1" is neither true nor false`},
	{"mounts:\n  - relay: {ice: 1}\n", `f:2: mounts[0].relay.ice: "1" is neither true nor false`},
	{"mounts:\n  - relay: {ice_headers: [a]}\n", "f:2: mounts[0].relay.ice_headers: has a name without a value: it is name, value, name, value"},
	{"mounts:\n  - relay: {title: \"\\n\"}\n", `f:2: mounts[0].relay.title: "\n" has a control character in it`},
	{"mounts:\n  - relay: {metaint: 0}\n", "f:2: mounts[0].relay.metaint: 0 is not between 1 and 1Mi"},
	{"access_log: '-'\nmounts:\n  - {write: true, source: {stdout: true}}\n", "f:3: mounts[0].source.stdout: access_log writes to standard output, too"},
	{"mounts:\n  - {path: /a, relay: {input: '-'}}\n  - {path: /b, relay: {input: '-'}}\n", "f:3: mounts[1].relay.input: mounts[0].relay reads standard input, too"},
	{"mounts:\n  - {write: true, source: {fifo: a, file: b}}\n", "f:2: mounts[0].source: has more than one of exec, fifo, file, stdout, url"},
	{"mounts:\n  - source: {exec: ffplay}\n", "f:2: mounts[0].source.exec: must be a list (- item, or [item, item])"},
	{"mounts:\n  - source: {fifo: []}\n", "f:2: mounts[0].source.fifo: must be a single value"},
	{"mounts:\n  - source: {file: []}\n", "f:2: mounts[0].source.file: must be a single value"},
	{"mounts:\n  - source: {stdout: 1}\n", `f:2: mounts[0].source.stdout: "1" is neither true nor false`},
	{"mounts:\n  - {write: true, source: {url: 'ftp://a'}}\n", `f:2: mounts[0].source.url: "ftp://a" is not an http or https URL`},
	{"mounts:\n  - path: /a\n  - path: /b\n    max_cache_segs: five\n", `f:4: mounts[1].max_cache_segs: "five" is not a whole number`},
	{"mounts:\n  - max_cache_segs: 99999999999999999999\n", `f:2: mounts[0].max_cache_segs: "99999999999999999999" is not a whole number`},
	{"mounts:\n  - max_bytes: 1X\n", `f:2: mounts[0].max_bytes: "1X" is not a size such as 500000, 50M or 64Mi`},
	{"mounts:\n  - maxs: 1KM\n", `f:2: mounts[0].maxs: "1KM" has a unit that is none of K, M, G, T, Ki, Mi, Gi, Ti`},
	{"mounts:\n  - policy: last\n", `f:2: mounts[0].policy: "last" is none of overwrite, first-wins, first-complete-wins`},
	{"mounts:\n  - sync: 1\n", `f:2: mounts[0].sync: "1" is neither true nor false`},
	{"mounts:\n  - hold_timeout: 1h30\n", `f:2: mounts[0].hold_timeout: "1h30" is not a duration such as 5s, 500ms, 2m or 30 (seconds)`},
	{"mounts:\n  - upload_timeout: 0\n", "f:2: mounts[0].upload_timeout: must be more than 0"},
	{"mounts:\n  - viewer_timeout: 0s\n", "f:2: mounts[0].viewer_timeout: must be more than 0"},
	{"mounts:\n  - max_lag: .5\n", `f:2: mounts[0].max_lag: ".5" is not a size such as 500000, 50M or 64Mi`},
	{"mounts:\n  - cors: true\n", `f:2: mounts[0].cors: "true" is none of auto, on, off`},
	{"mounts:\n  - concat_ranges: ''\n", `f:2: mounts[0].concat_ranges: "" is neither true nor false`},
	{"mounts:\n  - cache_control: [none]\n", "f:2: mounts[0].cache_control: must be a mapping (key: value)"},
	{"mounts:\n  - cache_control: \"a\\nb\"\n", `f:2: mounts[0].cache_control: "a\nb" has a control character in it`},
	{"mounts:\n  - cache_control:\n      manifest: [a]\n", "f:3: mounts[0].cache_control.manifest: must be a single value"},
	{"mounts:\n  - cache_control:\n      segment: \"a\\r\\nb\"\n", `f:3: mounts[0].cache_control.segment: "a\r\nb" has a control character in it`},
	{"mounts:\n  - cache_control: {init: \"\\0\"}\n", `f:2: mounts[0].cache_control.init: "\x00" has a control character in it`},
	{"mounts:\n  - cache_control: {growing: \"\\x7f\"}\n", `f:2: mounts[0].cache_control.growing: "\x7f" has a control character in it`},
	{"mounts:\n  - cache_control: {other: \"\\e\"}\n", `f:2: mounts[0].cache_control.other: "\x1b" has a control character in it`},
	{"mounts:\n  - cache_control: {future: ~}\n", "f:2: mounts[0].cache_control.future: has no value"},
	{"mounts:\n  - cache_control: {evicted: \"\\n\"}\n", `f:2: mounts[0].cache_control.evicted: "\n" has a control character in it`},
	{"mounts:\n  - cache_control:\n      never: |\n        no-store\n", `f:3: mounts[0].cache_control.never: "no-store\n" has a control character in it`},
}

func TestConfigErrorIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		err  ConfigError
		want string
	}{
		{ConfigError{Msg: "no"}, "no"},
		{ConfigError{Key: "k", Msg: "no"}, "k: no"},
		{ConfigError{Line: 3, Key: "k", Msg: "no"}, "k: no"},
		{ConfigError{File: "f", Key: "k", Msg: "no"}, "f: k: no"},
		{ConfigError{File: "f", Line: 3, Key: "k", Msg: "no"}, "f:3: k: no"},
		{ConfigError{Key: "k\x00\nl", Msg: "no\n\tway\x1b[31m"}, "k? l: no way?[31m"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestErrorsCoverKeys(t *testing.T) {
	var keys func(reflect.Type, string) []string
	keys = func(typ reflect.Type, prefix string) (all []string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := prefix + f.Tag.Get("yaml")
			if f.Tag.Get("yaml") == "-" {
				continue
			}
			all = append(all, key)
			switch {
			case f.Type.Kind() == reflect.Struct:
				all = append(all, keys(f.Type, key+".")...)
			case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
				all = append(all, keys(f.Type.Elem(), key+"[0].")...)
			}
		}
		return all
	}
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		found := false
		for _, tt := range configErrors {
			want := strings.NewReplacer("mounts[1]", "mounts[0]", "mounts[2]", "mounts[0]").Replace(tt.want)
			found = found || strings.Contains(want, " "+key+":") || strings.Contains(want, " "+key+"[")
		}
		if !found {
			t.Errorf("no wrong value of %s is tested", key)
		}
	}
}
