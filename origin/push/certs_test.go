package push

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// clientPair makes a certificate that signs itself, and its files.
func clientPair(t *testing.T) (cert *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "encoder"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return cert, writePEM(t, "cert.pem", "CERTIFICATE", der), writePEM(t, "key.pem", "EC PRIVATE KEY", keyDER)
}

func TestClientCertificate(t *testing.T) {
	cert, certFile, keyFile := clientPair(t)
	f := &far{}
	f.Server = httptest.NewUnstartedServer(f)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	f.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	f.StartTLS()
	t.Cleanup(f.Close)
	ca := writePEM(t, "ca.pem", "CERTIFICATE", f.Certificate().Raw)
	for name, c := range map[string]struct {
		to Destination
		ok bool
	}{
		"with":           {Destination{CAFile: ca, CertFile: certFile, KeyFile: keyFile}, true},
		"without":        {Destination{CAFile: ca}, false},
		"unknown server": {Destination{CertFile: certFile, KeyFile: keyFile}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.to.URL = f.URL
			client, err := NewClient(c.to)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Put(t.Context(), "x.txt", "", 1, newReader("x")); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

// A certificate that is renewed in its file is used; one that is just being
// written is not.
func TestClientCertificateIsReadAnew(t *testing.T) {
	_, certFile, keyFile := clientPair(t)
	c, err := newClientCert(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.get(nil)
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if same, err := c.get(nil); err != nil || same != first {
		t.Error("the certificate before is not used", err)
	}
	_, newCert, newKey := clientPair(t)
	for from, to := range map[string]string{newCert: certFile, newKey: keyFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if other, err := c.get(nil); err != nil || string(other.Certificate[0]) == string(first.Certificate[0]) {
		t.Error("the new certificate is not used", err)
	}
}
