package origin

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// serial returns the certificate that a new connection is shown.
func (s *testServer) serial() string {
	s.t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(s.URLs()[1], "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return string(c.ConnectionState().PeerCertificates[0].Raw)
}

func TestCertificateIsReloaded(t *testing.T) {
	cert, key := makeCertificate(t)
	s := start(t, func(c *Config) { c.ListenTLS, c.Cert, c.PKey = []string{"127.0.0.1:0"}, cert, key })
	before := s.serial()
	newCert, newKey := makeCertificate(t)
	if err := os.Rename(newCert, cert); err != nil {
		t.Fatal(err)
	}
	// Between the two renames they do not fit each other: the old pair stays.
	if s.serial() != before {
		t.Error("half of a pair is used")
	}
	if err := os.Rename(newKey, key); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new certificate is shown", func() bool { return s.serial() != before })
}

func TestClientCertificate(t *testing.T) {
	cert, key := makeCertificate(t)
	s := start(t, withTLS(t), func(c *Config) {
		c.ClientCA = cert // it signs itself
		c.Mounts[0].ClientCert = true
	})
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	strangerCert, strangerKey := makeCertificate(t)
	stranger, err := tls.LoadX509KeyPair(strangerCert, strangerKey)
	if err != nil {
		t.Fatal(err)
	}
	put := func(certs ...tls.Certificate) (int, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: certs}}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URLs()[1]+"/a", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	if status, err := put(pair); err != nil || status != 201 {
		t.Errorf("with the certificate: %d, %v", status, err)
	}
	if status, err := put(); err != nil || status != 403 {
		t.Errorf("without: %d, %v", status, err)
	}
	if status, err := put(stranger); err == nil {
		t.Errorf("with a stranger's: %d", status)
	}
	if a := s.do("PUT", "/b", "x"); a.StatusCode != 403 {
		t.Errorf("over plain HTTP: %s", a.Status)
	}
	if a := s.do("GET", "/a", ""); a.StatusCode != 200 {
		t.Errorf("reading needs none: %s", a.Status)
	}
}

// TestHTTP3 uploads and reads, whole and while it grows, over QUIC; the other
// protocols announce it.
func TestHTTP3(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3 = true })
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer func() { _ = transport.Close() }()
	client := &http.Client{Transport: transport, Timeout: patience}
	plain := *s
	s.url, s.client = s.URLs()[1], client
	if a := s.do("PUT", "/a.txt", "over QUIC"); a.StatusCode != 201 || a.ProtoMajor != 3 {
		t.Fatalf("PUT: %s %s", a.Proto, a.Status)
	}
	if a := s.do("GET", "/a.txt", "", "Range: bytes=5-"); a.StatusCode != 206 || a.body != "QUIC" {
		t.Errorf("GET: %s %q", a.Status, a.body)
	}
	up := plain.upload("/seg-1.m4s")
	up.chunk("first,")
	s.growingFile("/seg-1.m4s", 6)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/seg-1.m4s", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	expect(t, resp.Body, "first,")
	up.chunk("last")
	expect(t, resp.Body, "last")
	up.end()
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("after the end: %d, %v", n, err)
	}
	for proto, c := range s.tlsClients() {
		s.client = c
		if a := s.do("GET", "/a.txt", ""); !strings.HasPrefix(a.Header.Get("Alt-Svc"), `h3=":`) {
			t.Errorf("%s: Alt-Svc %q", proto, a.Header.Get("Alt-Svc"))
		}
	}
}

// TestHTTP3Broken: a broken upload resets the stream, and is not its end.
func TestHTTP3Broken(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3 = true })
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer func() { _ = transport.Close() }()
	up := s.upload("/seg-1.m4s")
	up.chunk("half")
	s.growingFile("/seg-1.m4s", 4)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URLs()[1]+"/seg-1.m4s", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() { // the reset may overtake the head of the reply
		resp, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		got <- err
	}()
	eventually(t, "it is followed", func() bool { return s.Stats().Viewers == 1 })
	_ = up.Close()
	if err := <-got; err == nil {
		t.Error("a clean end")
	}
}

// TestMaxPeerOverHTTP3: QUIC connections count for maxp as others do, until
// they are closed.
func TestMaxPeerOverHTTP3(t *testing.T) {
	s := start(t, withTLS(t), func(c *Config) { c.H3, c.MaxPeerConns = true, 1 })
	get := func(transport http.RoundTripper) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URLs()[1]+"/none", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	conf := &tls.Config{InsecureSkipVerify: true}
	first, second := &http3.Transport{TLSClientConfig: conf}, &http3.Transport{TLSClientConfig: conf}
	defer func() { _ = second.Close() }()
	if got := get(first); got != 404 {
		t.Errorf("the first: %d", got)
	}
	if got := get(second); got != 503 {
		t.Errorf("the second: %d", got)
	}
	_ = second.Close()
	_ = first.Close()
	eventually(t, "the place is free again", func() bool {
		third := &http3.Transport{TLSClientConfig: conf}
		defer func() { _ = third.Close() }()
		return get(third) == 404
	})
}
