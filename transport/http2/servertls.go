package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	xhttp2 "golang.org/x/net/http2"
)

// NewTLSListener returns a listener whose connections speak TLS with HTTP/2 over those
// of l, written as a Server does it best. config is cloned; without NextProtos it offers
// h2 only. The handshake is up to the Server.
func NewTLSListener(l net.Listener, config *tls.Config) net.Listener {
	config = config.Clone()
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{xhttp2.NextProtoTLS}
	}
	return &tlsListener{Listener: l, config: config}
}

type tlsListener struct {
	net.Listener
	config *tls.Config
}

// Accept implements net.Listener.
func (l *tlsListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(Buffered(nc), l.config), nil
}

// HandshakeTLS makes a TLS connection for HTTP/2 over nc: config is cloned and offers h2
// only. Errors are *DialError; nc is closed then.
func HandshakeTLS(ctx context.Context, nc net.Conn, config *tls.Config) (*tls.Conn, error) {
	config = config.Clone()
	config.NextProtos = []string{xhttp2.NextProtoTLS}
	tc := tls.Client(Buffered(nc), config)
	err := tc.HandshakeContext(ctx)
	if err == nil {
		if proto := tc.ConnectionState().NegotiatedProtocol; proto != xhttp2.NextProtoTLS {
			err = fmt.Errorf("peer %s does not speak HTTP/2: by ALPN it chose %q, not %q", nc.RemoteAddr(), proto, xhttp2.NextProtoTLS)
		}
	}
	if err != nil {
		return nil, &DialError{Err: errors.Join(err, ignoreClosed(nc.Close())), Handshake: true}
	}
	return tc, nil
}

// ignoreClosed returns err unless it says that a connection was closed already.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
