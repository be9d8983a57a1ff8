package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curlProto is one way curl speaks to the origin.
type curlProto struct {
	name, version string // version as curl reports it
	base          string
	args          []string
	broken        []int // exit codes for a transfer that broke off
}

// curlProtos returns HTTP/1.1, HTTP/2 over TLS and HTTP/2 without it on one
// server's two listeners.
func curlProtos(s *server) []curlProto {
	return []curlProto{
		{"h1", "1.1", s.http, []string{"--http1.1"}, []int{18, 56}},
		{"h1 tls", "1.1", s.https, []string{"--http1.1", "-k"}, []int{18, 56}},
		{"h2", "2", s.https, []string{"--http2", "-k"}, []int{92}},
		{"h2c", "2", s.http, []string{"--http2-prior-knowledge"}, []int{92}},
	}
}

// serveBoth starts an origin with a plain and a TLS listener.
func serveBoth(t *testing.T, args ...string) *server {
	t.Helper()
	need(t, "curl")
	cert, key := selfSigned(t)
	return serve(t, append([]string{"--listen-tls", "127.0.0.1:0", "--cert", cert, "--pkey", key}, args...)...)
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "headwater e2e"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return certFile, keyFile
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// answer is what curl made of one request.
type answer struct {
	exit    int
	status  int
	version string
	took    time.Duration // whole transfer
	began   time.Duration // until the first byte of the answer
	header  http.Header   // of the last head
	body    []byte
	trace   string // standard error
}

// curl runs one request to path, with stdin, which may be nil.
func (p curlProto) curl(t *testing.T, stdin io.Reader, path string, args ...string) answer {
	t.Helper()
	dir := t.TempDir()
	body, head := filepath.Join(dir, "body"), filepath.Join(dir, "head")
	args = append([]string{"-q", "-sS", "--path-as-is", "--max-time", "25", "-o", body, "-D", head, "-w", "%{json}"}, args...)
	c := start(t, stdin, "curl", append(append(args, p.args...), p.base+path)...)
	a := answer{exit: c.wait(t, patience), trace: c.err.String()}
	var said struct {
		Status  int     `json:"http_code"`
		Version string  `json:"http_version"`
		Took    float64 `json:"time_total"`
		Began   float64 `json:"time_starttransfer"`
	}
	if err := json.Unmarshal([]byte(c.out.String()), &said); err != nil {
		t.Fatalf("curl %s: %v: %s\n%s", path, err, c.out, c.err)
	}
	a.status, a.version = said.Status, said.Version
	a.took, a.began = time.Duration(said.Took*1e9), time.Duration(said.Began*1e9)
	a.body, _ = os.ReadFile(body) // curl makes no file for an answer without body
	a.header = lastHead(t, head)
	return a
}

// lastHead parses the last block of the heads curl wrote down; the ones before
// are interim answers.
func lastHead(t *testing.T, file string) http.Header {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")), "\n\n")
	h := http.Header{}
	sc := bufio.NewScanner(strings.NewReader(blocks[len(blocks)-1]))
	for sc.Scan() {
		if k, v, ok := strings.Cut(sc.Text(), ": "); ok {
			h.Add(k, v)
		}
	}
	return h
}

// put uploads data from a file, so with Content-Length.
func (p curlProto) put(t *testing.T, path string, data []byte, args ...string) answer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "upload")
	writeFile(t, file, data)
	return p.curl(t, nil, path, append([]string{"-T", file}, args...)...)
}

// want fails the test when the status or protocol differ.
func (a answer) want(t *testing.T, p curlProto, what string, statuses ...int) {
	t.Helper()
	for _, s := range statuses {
		if a.status == s && a.exit == 0 && a.version == p.version {
			return
		}
	}
	t.Errorf("%s: exit code %d, status %d over HTTP/%s, want status %v over HTTP/%s\n%s%s",
		what, a.exit, a.status, a.version, statuses, p.version, a.trace, a.body)
}

// pattern returns n bytes that repeat nowhere within 64 KiB.
func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}
