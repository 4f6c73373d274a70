package origin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Server is a running origin.
type Server struct {
	// Addr is its host:port, Port the port of it.
	Addr, Port string
	// Conns counts the connections of it.
	Conns *Conns
	srv   *http.Server
}

// Close ends the server and all its connections at once. It does not wait.
func (s *Server) Close() { _ = s.srv.Close() }

// Serve serves a handler, Handler if nil, on a free port until the test ends; with
// TLS if there is a configuration.
func Serve(tb testing.TB, h http.Handler, secure *tls.Config) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // opens at once
	if err != nil {
		tb.Fatalf("origin: %v", err)
	}
	if h == nil {
		h = Handler()
	}
	s := &Server{Addr: l.Addr().String(), Conns: &Conns{}}
	_, s.Port, _ = strings.Cut(s.Addr, ":")
	srv := New(h)
	srv.ConnState, s.srv = s.Conns.state, srv
	done := make(chan struct{})
	go func() {
		defer close(done)
		if secure == nil {
			_ = srv.Serve(l)
			return
		}
		srv.TLSConfig = secure.Clone()
		_ = srv.ServeTLS(l, "", "")
	}()
	tb.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return s
}

// New returns a server of HTTP/1.1 and HTTP/2 in cleartext and with TLS.
func New(h http.Handler) *http.Server {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, Protocols: &http.Protocols{}}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	// Bodies that nobody reads must not use up the window of the connection, which other
	// requests share: that would be the origin's doing, and nobody between could help it.
	srv.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1000, MaxReceiveBufferPerConnection: 1 << 28, MaxReceiveBufferPerStream: 1 << 20}
	return srv
}

// Client returns a client that speaks one protocol, "h1", "h1s", "h2c" or "h2", and
// trusts any certificate. Connections are made to addr, whatever the URL says,
// unless addr is empty.
func Client(tb testing.TB, protocol, addr string) *http.Client {
	tb.Helper()
	t := NewTransport(protocol, addr)
	tb.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// NewTransport is the transport of Client, for others than tests.
func NewTransport(protocol, addr string) *http.Transport {
	t := &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 1000, Protocols: &http.Protocols{},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // whom it talks to is not what is tested
	}
	if addr != "" {
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	}
	t.Protocols.SetHTTP1(protocol == "h1" || protocol == "h1s")
	t.Protocols.SetUnencryptedHTTP2(protocol == "h2c")
	t.Protocols.SetHTTP2(protocol == "h2")
	return t
}
