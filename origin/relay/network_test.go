package relay

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// groupSender sends to a multicast group on the loopback interface alone.
func groupSender(t *testing.T, group string) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		controlled := c.Control(func(fd uintptr) {
			err = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Address: [4]byte{127, 0, 0, 1}})
		})
		if controlled != nil {
			return controlled
		}
		return err
	}}
	c, err := d.DialContext(t.Context(), "udp4", group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestMulticast: a group is joined on the interface that is named, and nothing
// else comes in.
func TestMulticast(t *testing.T) {
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.LocalAddr().String())
	_ = free.Close()
	in, err := ParseInput("udp://@239.255.7.7:" + port + "?iface=lo")
	if err != nil {
		t.Fatal(err)
	}
	udp := in.(UDP)
	bound := make(chan net.Addr, 1)
	udp.bound = func(a net.Addr) { bound <- a }
	r := newTest(Options{}, udp)
	start(t, r)
	l := read(t, join(t, r))
	<-bound
	sender, other := groupSender(t, "239.255.7.7:"+port), groupSender(t, "239.255.7.8:"+port)
	if _, err := io.WriteString(other, "Kother group\n"); err != nil {
		t.Fatal(err)
	}
	send(t, r, sender, "K1\n")
	send(t, r, sender, "K2\n")
	l.until("K1\nK2\n")
	if got := r.BytesIn(); got != 6 {
		t.Errorf("%d bytes in, want those of the group alone", got)
	}
}

// TestUDPBuffer: the kernel holds more than its default while this program is
// busy, as far as it lets itself be asked.
func TestUDPBuffer(t *testing.T) {
	plain, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	in, err := UDP{Address: "127.0.0.1:0"}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if was, is := receiveBuffer(t, plain.(*net.UDPConn)), receiveBuffer(t, in.(*datagrams).conn); is < was {
		t.Errorf("%d bytes, the default is %d", is, was)
	}
}

func receiveBuffer(t *testing.T, c *net.UDPConn) (n int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLongDatagram: of the longest no byte is lost.
func TestLongDatagram(t *testing.T) {
	at := make(chan net.Addr, 1)
	r := newTest(Options{}, UDP{Address: "127.0.0.1:0", bound: func(a net.Addr) { at <- a }})
	start(t, r)
	l := read(t, join(t, r))
	far := dialer(t, "udp", at)()
	defer far.Close()
	line := "K" + strings.Repeat("x", 65_500) + "\n"
	send(t, r, far, "K1\n")
	send(t, r, far, line)
	l.until("K1\n" + line)
}

// TestRTPPackets: what is around the payload, and what is no such packet.
func TestRTPPackets(t *testing.T) {
	const head = "\x80\x21\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	for name, c := range map[string]struct{ packet, want string }{
		"plain":                    {head + "Gts", "Gts"},
		"sources":                  {"\x82" + head[1:] + "sourcesxGts", "Gts"},
		"extension":                {"\x90" + head[1:] + "\xbe\xde\x00\x01extnGts", "Gts"},
		"padding":                  {"\xa0" + head[1:] + "Gts\x00\x02", "Gts"},
		"marker":                   {"\x80\xa1" + head[2:] + "Gts", "Gts"},
		"another type":             {"\x80\x60" + head[2:] + "x", "\x80\x60" + head[2:] + "x"},
		"no RTP":                   {"Gts", "Gts"},
		"empty":                    {"", ""},
		"head alone":               {head, ""},
		"sources beyond the end":   {"\x8f" + head[1:] + "Gts", ""},
		"extension beyond the end": {"\x90" + head[1:] + "\xbe\xde\xff\xffGts", ""},
		"extension cut short":      {"\x90" + head[1:] + "\xbe", ""},
		"padding of all":           {"\xa0" + head[1:] + "G\xff", ""},
	} {
		if got := rtpPayload([]byte(c.packet)); string(got) != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzRTP(f *testing.F) {
	f.Add([]byte("\xb2\x21\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01sourcesx\xbe\xde\x00\x01extnGts\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := rtpPayload(b); len(got) > len(b) {
			t.Fatal("more than there was")
		}
	})
}
