package origin

import (
	"strings"
	"testing"
)

func TestPeers(t *testing.T) {
	for _, tt := range []struct{ list, in, out string }{
		{"", "", "127.0.0.1 ::1 10.0.0.1"},
		{"loopback", "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1", "128.0.0.1 ::2 10.0.0.1 ::ffff:10.0.0.1"},
		{"any", "127.0.0.1 ::1 10.0.0.1 2001:db8::1 fe80::1%eth0", ""},
		{"10.0.0.0/8", "10.0.0.0 10.255.255.255 ::ffff:10.1.1.1", "11.0.0.0 9.255.255.255 ::10.0.0.1 127.0.0.1"},
		{"10.1.2.3", "10.1.2.3", "10.1.2.4 10.1.2.2"},
		{"::ffff:10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4"},
		{"2001:db8::/32", "2001:db8::1 2001:db8:ffff::", "2001:db9:: 10.0.0.1"},
		{"fe80::/10", "fe80::1 fe80::1%eth0", "fd00::1"},
		{"loopback 10.0.0.0/8", "127.0.0.1 10.0.0.1", "192.168.0.1"},
		{"0.0.0.0/0", "1.2.3.4", "2001:db8::1"},
	} {
		p, err := ParsePeers(strings.Fields(tt.list))
		if err != nil {
			t.Errorf("%s: %v", tt.list, err)
			continue
		}
		for _, a := range strings.Fields(tt.in) {
			if !p.ContainsHostPort("["+a+"]:1234") && !p.ContainsHostPort(a+":1234") {
				t.Errorf("%s (%s) does not contain %s", tt.list, p, a)
			}
		}
		for _, a := range strings.Fields(tt.out) {
			if p.ContainsHostPort("["+a+"]:1234") || p.ContainsHostPort(a+":1234") {
				t.Errorf("%s (%s) contains %s", tt.list, p, a)
			}
		}
	}
}

func TestPeersOfNoAddress(t *testing.T) {
	p, err := ParsePeers([]string{PeersAny})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "@", "pipe", "10.0.0.1", "host:80", ":80"} {
		if p.ContainsHostPort(s) {
			t.Errorf("%q counts as an address", s)
		}
	}
}

func TestParsePeersErrors(t *testing.T) {
	const form = `" is not an address, a prefix such as 10.0.0.0/8, loopback or any`
	for s, want := range map[string]string{
		"":                  `"` + form,
		"host":              `"host` + form,
		"Loopback":          `"Loopback` + form,
		"10.0.0":            `"10.0.0` + form,
		"10.0.0.0/33":       `"10.0.0.0/33` + form,
		"fe80::1%eth0":      `"fe80::1%eth0` + form,
		"::ffff:10.0.0.0/8": `"::ffff:10.0.0.0/8` + form,
		"10.1.0.0/8":        `"10.1.0.0/8" has bits set behind its length; the network is 10.0.0.0/8`,
	} {
		if _, err := ParsePeers([]string{"any", s}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", s, err, want)
		}
	}
}
