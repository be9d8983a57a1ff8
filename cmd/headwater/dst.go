package main

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// setDst lets --dst stand for --listen (or --listen-tls) and --path, as
// httpout's option does: http://HOST:PORT/PATH.
func (s *serveCmd) setDst(g given) error {
	if !g.has("dst") {
		return nil
	}
	for _, other := range []string{"path", "port", "ifce"} {
		if g.has(other) {
			return fmt.Errorf("--dst: says what --%s says; leave one out", other)
		}
	}
	u, err := url.Parse(s.Dst)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--dst: %q is not a URL such as http://localhost:8080/live.mp3", s.Dst)
	}
	if u.Scheme == "https" && !g.has("cert") {
		return errors.New("--dst: https needs --cert and --pkey")
	}
	addr, err := dstAddr(u)
	if err != nil {
		return err
	}
	if u.Scheme == "https" {
		s.ListenTLS = append(s.ListenTLS, addr)
	} else {
		s.Listen = append(s.Listen, addr)
	}
	s.Mount.Path = mountPath(u.Path, g)
	return nil
}

func dstAddr(u *url.URL) (string, error) {
	port := map[string]int{"http": 80, "https": 443}[u.Scheme]
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return "", fmt.Errorf("--dst: %q is not a port", p)
		}
		port = int(n)
	}
	host := u.Hostname()
	if host == "*" {
		host = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port), nil
}

// mountPath is where what --dst names is found: a relay has the path itself; a
// manifest stands among its segments, in the directory.
func mountPath(p string, g given) string {
	clean := path.Clean("/" + p)
	if g.has("input") || strings.HasSuffix(p, "/") || path.Ext(clean) == "" {
		return clean
	}
	return path.Dir(clean)
}
