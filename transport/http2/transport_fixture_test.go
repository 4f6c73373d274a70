package http2_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http2"
)

// side is one way to send or to serve requests.
type side struct {
	name string
	// serve starts a server and returns its URL.
	serve func(t *testing.T, h http.Handler) string
	// client returns a client of such servers.
	client func(t *testing.T) http.RoundTripper
}

// certificate is what all test servers show; pool is who vouches for it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// startServer runs a Server on loopback until the test ends.
func startServer(t *testing.T, o http2.ServerOptions) (addr string, s *http2.Server) {
	t.Helper()
	return startServerOn(t, listen(t), o)
}

func startServerOn(t *testing.T, l net.Listener, o http2.ServerOptions) (addr string, s *http2.Server) {
	t.Helper()
	s = http2.NewServer(o)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		require.ErrorIs(t, <-done, http2.ErrServerClosed)
	})
	return l.Addr().String(), s
}

func ours(secure bool) side {
	return side{
		name: "weft",
		serve: func(t *testing.T, h http.Handler) string {
			t.Helper()
			if !secure {
				addr, _ := startServer(t, http2.ServerOptions{Handler: h})
				return "http://" + addr
			}
			cert, _ := certificate(t)
			l := http2.NewTLSListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}})
			addr, _ := startServerOn(t, l, http2.ServerOptions{Handler: h})
			return "https://" + addr
		},
		client: func(t *testing.T) http.RoundTripper {
			t.Helper()
			_, pool := certificate(t)
			rt := http2.NewTransport(http2.TransportOptions{TLS: &tls.Config{RootCAs: pool, ServerName: "example.com"}})
			t.Cleanup(func() { require.NoError(t, rt.Close()) })
			return rt
		},
	}
}

func theirs(secure bool) side {
	return side{
		name: "net/http",
		serve: func(t *testing.T, h http.Handler) string {
			t.Helper()
			s := httptest.NewUnstartedServer(h)
			if secure {
				s.EnableHTTP2 = true
				s.StartTLS()
			} else {
				s.Config.Protocols = new(http.Protocols)
				s.Config.Protocols.SetUnencryptedHTTP2(true)
				s.Start()
			}
			t.Cleanup(s.Close)
			return s.URL
		},
		client: func(t *testing.T) http.RoundTripper {
			t.Helper()
			_, pool := certificate(t)
			rt := &http.Transport{
				TLSClientConfig:    &tls.Config{RootCAs: pool, ServerName: "example.com"},
				Protocols:          new(http.Protocols),
				DisableCompression: true,
			}
			rt.Protocols.SetHTTP2(true)
			rt.Protocols.SetUnencryptedHTTP2(true)
			t.Cleanup(rt.CloseIdleConnections)
			return rt
		},
	}
}

// dialTo returns a dialler of addr in the clear.
func dialTo(addr string) func(ctx context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
}
