package push

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
)

// maxCAFile bounds what is read of a file of authorities.
const maxCAFile = 16 << 20

// tlsConfig returns the client's TLS configuration; the files must be readable
// now.
func tlsConfig(d Destination) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.CAFile != "" {
		pool, err := readCAs(d.CAFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if d.CertFile != "" {
		c, err := newClientCert(d.CertFile, d.KeyFile)
		if err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = c.get
	}
	return cfg, nil
}

func readCAs(file string) (*x509.CertPool, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("authorities: %w", err)
	}
	if info.Size() > maxCAFile {
		return nil, fmt.Errorf("authorities: %s is larger than 16 MiB", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities: %s holds no certificate in PEM", file)
	}
	return pool, nil
}

// clientCert is a certificate that may be renewed in its files.
type clientCert struct {
	certFile, keyFile string // static
	last              atomic.Pointer[tls.Certificate]
}

func newClientCert(certFile, keyFile string) (*clientCert, error) {
	c := &clientCert{certFile: certFile, keyFile: keyFile}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return c, nil
}

func (c *clientCert) load() error {
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.last.Store(&cert)
	}
	return err
}

// get is tls.Config.GetClientCertificate. Files that are just being replaced
// leave the certificate before in use.
func (c *clientCert) get(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	_ = c.load() // the one before serves
	return c.last.Load(), nil
}
