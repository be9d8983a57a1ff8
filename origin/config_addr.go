package origin

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// splitAddr is net.SplitHostPort with a port that is a number.
func splitAddr(addr string) (host string, port int, err error) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return "", 0, fmt.Errorf("%q has no port; write host:port or :port", addr)
	}
	host = addr[:i]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.ContainsAny(host, ":[]") {
		return "", 0, fmt.Errorf("%q is not host:port; an IPv6 host stands in brackets", addr)
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f }) {
		return "", 0, fmt.Errorf("%q is not host:port", addr)
	}
	n, err := strconv.ParseUint(addr[i+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q has a port that is not a number from 0 to 65535", addr)
	}
	return host, int(n), nil
}

// sameHost reports whether one port cannot be bound on both hosts.
func sameHost(a, b string) bool {
	if strings.EqualFold(a, b) || allHosts(a) && allHosts(b) {
		return true
	}
	// The IPv4 wildcard leaves the port free for IPv6 hosts, the other one
	// takes both families.
	return takesAll(a, b) || takesAll(b, a)
}

func allHosts(h string) bool {
	addr, err := netip.ParseAddr(h)
	return h == "" || err == nil && addr.IsUnspecified()
}

func takesAll(wild, h string) bool {
	if !allHosts(wild) {
		return false
	}
	addr, err := netip.ParseAddr(h)
	return wild != "0.0.0.0" || err != nil || addr.Unmap().Is4()
}
