package contender

import (
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"
)

// Family is a kind of traffic that a proxy is configured for.
type Family string

// The families.
const (
	H1   Family = "h1"
	H2   Family = "h2" // on both sides, cleartext with prior knowledge to the upstream
	GRPC Family = "grpc"
)

// Site is what the templates in config/ are filled with.
type Site struct {
	Family            Family
	Upstream          string // host:port
	Plain, TLS, Admin int    // ports that the proxy listens on
	Dir               string // for the files of the proxy
	Cert, Key, PEM    string // files; PEM has both
}

// H2 tells whether the proxy speaks HTTP/2.
func (s Site) H2() bool { return s.Family != H1 }

// UpstreamPort is the port of Upstream.
func (s Site) UpstreamPort() (string, error) {
	_, port, err := net.SplitHostPort(s.Upstream)
	return port, err
}

// Address is where a client finds the proxy.
func (s Site) Address(secure bool) string {
	if secure {
		return fmt.Sprintf("127.0.0.1:%d", s.TLS)
	}
	return fmt.Sprintf("127.0.0.1:%d", s.Plain)
}

//go:embed config
var configs embed.FS

// render fills a template into a file of the site.
func (s Site) render(name, file string) error {
	t, err := template.ParseFS(configs, "config/"+name)
	if err != nil {
		return fmt.Errorf("contender: %s: %w", name, err)
	}
	path := filepath.Join(s.Dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := t.Execute(f, s); err != nil {
		_ = f.Close()
		return fmt.Errorf("contender: %s: %w", name, err)
	}
	return f.Close()
}

// FreePorts returns n TCP ports of loopback that nobody listens on.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("contender: no free port: %w", err)
		}
		defer func() { _ = ln.Close() }()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
