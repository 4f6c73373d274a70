package remote

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/weft-mesh/weft"
)

// Peer is an endpoint of namerd and how to connect to it.
type Peer struct {
	Endpoint weft.Endpoint
	dial     func(ctx context.Context, addr string) (net.Conn, error)
	tls      *tls.Config
}

// Dial opens a connection, with TLS if that is configured. protocols are what ALPN
// offers.
func (p Peer) Dial(ctx context.Context, protocols ...string) (net.Conn, error) {
	conn, err := p.dial(ctx, p.Endpoint.Addr)
	if err != nil || p.tls == nil {
		return conn, err
	}
	conf := p.tls.Clone()
	conf.NextProtos = protocols
	if conf.ServerName == "" {
		if conf.ServerName, _, err = net.SplitHostPort(p.Endpoint.Addr); err != nil {
			conf.ServerName = p.Endpoint.Addr
		}
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with %s as %s: %w", p.Endpoint.Addr, conf.ServerName, err)
	}
	return secure, nil
}

// Authority is what a request to the peer calls it.
func (p Peer) Authority() string {
	if a := p.Endpoint.Meta["authority"]; a != "" {
		return a
	}
	return p.Endpoint.Addr
}
