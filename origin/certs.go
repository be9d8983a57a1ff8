package origin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// certificates is the server's certificate, read again when its files change.
// While they do not fit each other, as between two renames, the one before is
// used.
type certificates struct {
	cert, pkey string // files; static
	log        *slog.Logger
	now        atomic.Pointer[tls.Certificate]
	watcher    *fsnotify.Watcher
	ended      chan struct{}
}

// settle is how long the files of a certificate must be left alone before they
// are read: one is written after the other.
const settle = 100 * time.Millisecond

func loadCertificates(cert, pkey string, log *slog.Logger) (*certificates, error) {
	c := &certificates{cert: cert, pkey: pkey, log: log, ended: make(chan struct{})}
	if err := c.load(); err != nil {
		return nil, err
	}
	var err error
	if c.watcher, err = fsnotify.NewWatcher(); err != nil {
		return nil, fmt.Errorf("watch the certificate: %w", err)
	}
	// The directories: a renewal puts other files in the place of these. Where
	// they are links (certbot's are), what they lead to changes as well.
	for _, dir := range watchedDirs(cert, pkey) {
		if err := c.watcher.Add(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("watch the certificate: %w", err), c.watcher.Close())
		}
	}
	go c.follow()
	return c, nil
}

func watchedDirs(files ...string) []string {
	seen := map[string]bool{}
	var dirs []string
	for _, f := range files {
		paths := []string{f}
		if target, err := filepath.EvalSymlinks(f); err == nil {
			paths = append(paths, target)
		}
		for _, p := range paths {
			if dir := filepath.Dir(p); !seen[dir] {
				seen[dir] = true
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

func (c *certificates) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.pkey)
	if err != nil {
		return fmt.Errorf("load the certificate %s with the key %s: %w", c.cert, c.pkey, err)
	}
	c.now.Store(&pair)
	return nil
}

// follow loads the files once they have changed and been left alone.
func (c *certificates) follow() {
	defer close(c.ended)
	quiet := time.NewTimer(settle)
	quiet.Stop()
	for {
		select {
		case _, ok := <-c.watcher.Events:
			if !ok {
				return
			}
			quiet.Reset(settle)
		case err, ok := <-c.watcher.Errors:
			if !ok {
				return
			}
			c.log.Warn("watching the certificate", "err", err)
			quiet.Reset(settle)
		case <-quiet.C:
			c.reload()
		}
	}
}

func (c *certificates) reload() {
	before := c.now.Load()
	if err := c.load(); err != nil {
		c.log.Error("the certificate has changed and cannot be used; the one before stays", "err", err)
		return
	}
	if now := c.now.Load(); string(now.Certificate[0]) != string(before.Certificate[0]) {
		c.log.Info("certificate loaded anew", "cert", c.cert, "not_after", now.Leaf.NotAfter)
	}
}

func (c *certificates) close() error {
	err := c.watcher.Close()
	<-c.ended
	return err
}

// tlsConfig returns what the TLS listeners share.
func (s *Server) tlsConfig() (*tls.Config, error) {
	certs, err := loadCertificates(s.cfg.Cert, s.cfg.PKey, s.log)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, certs.close)
	conf := &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certs.now.Load(), nil },
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if s.cfg.ClientCA == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(s.cfg.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("client_ca: %w", err)
	}
	conf.ClientCAs = x509.NewCertPool()
	if !conf.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("client_ca: %s has no certificate in it (PEM)", s.cfg.ClientCA)
	}
	conf.ClientAuth = tls.VerifyClientCertIfGiven // each mount says whether it must be given
	return conf, nil
}
