package origin

import (
	"fmt"
	"net/netip"
	"strings"
)

// The words that stand for prefixes in Mount.WriteFrom.
const (
	PeersLoopback = "loopback" // 127.0.0.0/8 and ::1
	PeersAny      = "any"
)

// Peers is a set of network addresses. The zero value is empty. It is not
// changed once parsed, so it may be used by any number of goroutines.
type Peers struct {
	prefixes []netip.Prefix
}

// ParsePeers reads a list in the form of Mount.WriteFrom.
func ParsePeers(list []string) (Peers, error) {
	var p Peers
	for _, s := range list {
		prefixes, err := parsePeer(s)
		if err != nil {
			return Peers{}, err
		}
		p.prefixes = append(p.prefixes, prefixes...)
	}
	return p, nil
}

func parsePeer(s string) ([]netip.Prefix, error) {
	switch s {
	case PeersLoopback:
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, nil
	case PeersAny:
		return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}, nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return nil, fmt.Errorf("%q is not an address, a prefix such as 10.0.0.0/8, %s or %s", s, PeersLoopback, PeersAny)
	}
	// A prefix with bits behind its length is more often a mistake in the
	// length than a way to write the network.
	if masked := prefix.Masked(); masked != prefix {
		return nil, fmt.Errorf("%q has bits set behind its length; the network is %s", s, masked)
	}
	return []netip.Prefix{prefix}, nil
}

// Contains reports whether the address is in the set. An IPv4 address mapped
// to IPv6 counts as the IPv4 address; a zone is not looked at.
func (p Peers) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range p.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// ContainsHostPort is Contains for an address in the form of
// http.Request.RemoteAddr. What is not such an address is in no set.
func (p Peers) ContainsHostPort(hostport string) bool {
	ap, err := netip.ParseAddrPort(hostport)
	return err == nil && p.Contains(ap.Addr())
}

// String returns the prefixes, separated by a comma and a space.
func (p Peers) String() string {
	texts := make([]string, len(p.prefixes))
	for i, prefix := range p.prefixes {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ", ")
}
