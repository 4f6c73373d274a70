package http1

import (
	"crypto/tls"
	"net"

	"github.com/weft-mesh/weft/internal/rawio"
)

// NewTLSListener returns a listener whose connections speak TLS over those of l, in the
// cheapest way for a Server. The handshake is the Server's to make.
func NewTLSListener(l net.Listener, config *tls.Config) net.Listener {
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
	return tls.Server(rawio.Wrap(nc), l.config), nil
}
