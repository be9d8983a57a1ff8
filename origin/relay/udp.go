package relay

import (
	"context"
	"fmt"
	"io"
	"net"
)

// udpBuffer is what the kernel is asked to hold of a UDP input while this
// program is busy.
const udpBuffer = 4 << 20

// UDP is an input of datagrams, unicast or multicast. RTP headers around MPEG-TS
// are taken off; what is lost is lost.
type UDP struct {
	// Address is host:port; a multicast group is joined, of another host it is
	// the address to receive at.
	Address string
	// Interface is the network interface to join a group on; "": the system's
	// choice.
	Interface string

	bound func(net.Addr) // for tests: told the address
}

// Traits is Input.Traits.
func (u UDP) Traits() Traits {
	return Traits{Name: "udp://" + u.Address, Again: Endlessly, Retry: true}
}

// Open binds the address.
func (u UDP) Open(ctx context.Context) (io.ReadCloser, error) {
	conn, err := u.listen(ctx)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(udpBuffer) // the kernel's own limit holds; with less, more is lost
	if u.bound != nil {
		u.bound(conn.LocalAddr())
	}
	return &datagrams{conn: conn}, nil
}

func (u UDP) listen(ctx context.Context) (*net.UDPConn, error) {
	addr, err := net.ResolveUDPAddr("udp", u.Address)
	if err != nil {
		return nil, err
	}
	if addr.IP.IsMulticast() {
		var ifi *net.Interface
		if u.Interface != "" {
			if ifi, err = net.InterfaceByName(u.Interface); err != nil {
				return nil, fmt.Errorf("interface %s: %w", u.Interface, err)
			}
		}
		return net.ListenMulticastUDP("udp", ifi, addr)
	}
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp", addr.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil //nolint:forcetypeassert // what ListenPacket documents for udp
}

// datagrams are the payloads that come to a socket, one after the other.
type datagrams struct{ conn *net.UDPConn }

// Read returns the payload of one datagram, and never io.EOF. p should have room
// for the longest: what does not fit is lost.
func (d *datagrams) Read(p []byte) (int, error) {
	for {
		n, err := d.conn.Read(p)
		if err != nil {
			return 0, err
		}
		payload := rtpPayload(p[:n])
		if len(payload) > 0 {
			return copy(p, payload), nil
		}
	}
}

func (d *datagrams) Close() error { return d.conn.Close() }
