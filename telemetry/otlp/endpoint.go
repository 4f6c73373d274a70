package otlp

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Endpoint is where a collector listens.
type Endpoint struct {
	Protocol Protocol
	Host     string // host:port
	Path     string // with HTTP
	Secure   bool   // TLS

	schemed bool // the text had a scheme
}

// ParseEndpoint reads an Options.Endpoint.
func ParseEndpoint(text string, p Protocol) (Endpoint, error) {
	port := map[Protocol]string{GRPC: "4317", HTTP: "4318"}[p]
	if port == "" {
		return Endpoint{}, fmt.Errorf("otlp: protocol %q is neither grpc nor http", string(p))
	}
	e := Endpoint{Protocol: p, Host: "localhost:" + port, Path: "/v1/traces"}
	if text == "" {
		return e, nil
	}
	bad := func(why string) (Endpoint, error) {
		return Endpoint{}, fmt.Errorf("otlp: endpoint %q %s: want host:port or a URL such as https://collector:%s", text, why, port)
	}
	var scheme string
	if scheme, _, e.schemed = strings.Cut(text, "://"); !e.schemed {
		text = "http://" + text
	} else if scheme != "http" && scheme != "https" {
		return bad("has a scheme other than http and https")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return bad("is malformed")
	case u.Hostname() == "":
		return bad("has no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return bad("has more than scheme, host, port and path")
	case p == GRPC && strings.Trim(u.Path, "/") != "":
		return bad("has a path, which gRPC does not have")
	case strings.Trim(u.Path, "/") != "":
		e.Path = u.Path
	}
	if u.Port() != "" {
		if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
			return bad("has a port out of range")
		}
		port = u.Port()
	}
	e.Host, e.Secure = net.JoinHostPort(u.Hostname(), port), u.Scheme == "https"
	return e, nil
}

// String returns the endpoint as a URL.
func (e Endpoint) String() string {
	scheme, path := "http://", ""
	if e.Secure {
		scheme = "https://"
	}
	if e.Protocol == HTTP {
		path = e.Path
	}
	return scheme + e.Host + path
}

func (e Endpoint) name() string {
	host, _, _ := net.SplitHostPort(e.Host)
	return host
}
