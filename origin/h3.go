package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// h3Server is HTTP/3 on one UDP port.
type h3Server struct {
	*http3.Server
	conn net.PacketConn
}

// listenH3 binds the UDP port of each TLS listener, if HTTP/3 is asked for.
func (s *Server) listenH3(conf *tls.Config) error {
	if !s.cfg.H3 {
		return nil
	}
	for _, l := range s.listeners {
		if l.scheme != "https" {
			continue
		}
		conn, err := new(net.ListenConfig).ListenPacket(s.open, "udp", l.Addr().String())
		if err != nil {
			return fmt.Errorf("listen on %s (HTTP/3): %w", l.Addr(), err)
		}
		s.h3 = append(s.h3, &h3Server{conn: conn, Server: &http3.Server{
			TLSConfig:      http3.ConfigureTLSConfig(conf),
			MaxHeaderBytes: maxRequestHead,
			IdleTimeout:    time.Duration(s.cfg.Timeout),
			ConnContext:    s.conns.enterQUIC,
			QUICConfig: &quic.Config{
				MaxIncomingStreams: h2Streams, MaxStreamReceiveWindow: h2StreamBuffer, MaxConnectionReceiveWindow: h2ConnBuffer,
			},
		}})
		_, port, _ := net.SplitHostPort(l.Addr().String()) // a bound address has one
		s.altSvc = fmt.Sprintf(`h3=":%s"; ma=86400`, port)
	}
	return nil
}

// announceH3 tells clients of HTTP/1.1 and 2 over TLS that there is HTTP/3.
func (s *Server) announceH3(h http.Header, overTLS bool) {
	if s.altSvc != "" && overTLS {
		h.Set("Alt-Svc", s.altSvc)
	}
}

// serveH3 serves on all ports, and returns on how many.
func (s *Server) serveH3(h http.Handler, failed chan<- error) int {
	for _, h3 := range s.h3 {
		h3.Handler = h
		s.log.Info("listening", "url", "https://"+h3.conn.LocalAddr().String(), "protocol", "h3")
		go func() {
			if err := h3.Serve(h3.conn); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serve %s (HTTP/3): %w", h3.conn.LocalAddr(), err)
				return
			}
			failed <- nil
		}()
	}
	return len(s.h3)
}

// stopH3 lets what is under way end, until ctx is done.
func (s *Server) stopH3(ctx context.Context) {
	for _, h3 := range s.h3 {
		if err := h3.Shutdown(ctx); err != nil {
			_ = h3.Close() // what is left is cut
		}
	}
}
