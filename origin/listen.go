package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Bounds of HTTP/2: a CDN sends the requests of many viewers over few
// connections.
const (
	h2Streams       = 2000
	h2StreamBuffer  = 1 << 20
	h2ConnBuffer    = 8 << 20
	maxRequestHead  = 64 << 10
	requestHeadTime = 30 * time.Second
)

// boundListener is a bound address.
type boundListener struct {
	net.Listener
	scheme string
}

func (l boundListener) url() string { return l.scheme + "://" + l.Addr().String() }

// listen binds all addresses of the configuration.
func (s *Server) listen() error {
	for _, addr := range s.cfg.Listen {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", addr, err)
		}
		s.listeners = append(s.listeners, boundListener{l, "http"})
	}
	if err := s.listenTLS(); err != nil {
		return err
	}
	if s.cfg.Admin == AdminOff || s.cfg.Admin == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.cfg.Admin)
	if err != nil {
		return fmt.Errorf("listen on %s (admin): %w", s.cfg.Admin, err)
	}
	s.admin = &boundListener{l, "http"}
	return nil
}

func (s *Server) listenTLS() error {
	if len(s.cfg.ListenTLS) == 0 {
		return nil
	}
	conf, err := s.tlsConfig()
	if err != nil {
		return err
	}
	for _, addr := range s.cfg.ListenTLS {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", addr, err)
		}
		s.listeners = append(s.listeners, boundListener{tls.NewListener(l, conf), "https"})
	}
	return s.listenH3(conf)
}

// httpServer returns a server for HTTP/1.1, HTTP/2 over TLS, and HTTP/2 with
// prior knowledge.
func (s *Server) httpServer(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:   h,
		Protocols: protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          h2Streams,
			MaxReceiveBufferPerStream:     h2StreamBuffer,
			MaxReceiveBufferPerConnection: h2ConnBuffer,
		},
		ReadHeaderTimeout: requestHeadTime,
		IdleTimeout:       time.Duration(s.cfg.Timeout),
		MaxHeaderBytes:    maxRequestHead,
		ErrorLog:          slog.NewLogLogger(serverLog{s.log.Handler()}, slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return withArrival(s.conns.enter(ctx, c), c)
		},
	}
}

// URLs returns the base URLs of the public listeners, in the order of the
// configuration, plain ones first.
func (s *Server) URLs() []string {
	urls := make([]string, len(s.listeners))
	for i, l := range s.listeners {
		urls[i] = l.url()
	}
	return urls
}

// AdminURL returns the base URL of the admin listener, or "".
func (s *Server) AdminURL() string {
	if s.admin == nil {
		return ""
	}
	return s.admin.url()
}

// serverLog handles what net/http has to say. Most of it is about what clients
// do wrong; that no connection can be accepted (there are no more file
// descriptors, say) is for the operator, and net/http says it once a second.
type serverLog struct{ slog.Handler }

// Enabled implements slog.Handler: the message decides, see Handle.
func (serverLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l serverLog) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "Accept error") {
		r.Level = slog.LevelError
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}
