package h2router

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// server is one listener of a router.
type server struct {
	addr netip.AddrPort
	http *http2.Server
	tls  *tls.Config
	log  *accesslog.Log // nil if there is none
}

var _ plugin.Server = (*server)(nil)

func (b *builder) server(i int, relay *meshh2.Relay) (*server, error) {
	c := b.c.Servers[i]
	addr := b.c.Addr(i)
	scope := b.Env.Tree.Scope("rt", b.c.Name(), "server", addr.Addr().String()+"/"+strconv.Itoa(int(addr.Port())))
	o := meshh2.ServerOptions{
		Relay:        relay,
		Label:        b.c.Name(),
		ClearContext: c.ClearContext,
		Metrics:      scope,
	}
	if c.MaxConcurrentRequests != nil {
		o.MaxConcurrent = *c.MaxConcurrentRequests
	}
	if c.Timeout != nil {
		o.Timeout = *c.Timeout
	}
	if c.MaxCallDepth != nil {
		o.MaxCallDepth = *c.MaxCallDepth
	}
	if f := c.AddForwardedHeader; f != nil {
		var err error
		if o.Forwarded, err = policy.Forwarded(*f, b.c.Name()); err != nil {
			return nil, err
		}
	}
	conns := newServerConns(scope)
	settings := conn(c.H2Settings, c.ServerSession, &c.SocketOptions)
	settings.Logger = b.Logger()
	if n := c.MaxConcurrentStreamsPerConnection; n != nil {
		settings.MaxConcurrentStreams = uint32(*n) //nolint:gosec // the decoder checks the range
	}
	s := &server{addr: addr, log: b.log, http: http2.NewServer(http2.ServerOptions{
		Accept:   meshh2.NewHandler(o).Accept,
		Conn:     conns.count(settings),
		Observer: conns,
	})}
	if c.TLS != nil {
		s.tls = b.ServerTLS(*c.TLS, "h2")
	}
	return s, nil
}

// Addr implements plugin.Server.
func (s *server) Addr() netip.AddrPort { return s.addr }

// Serve implements plugin.Server.
func (s *server) Serve(l net.Listener) error {
	if s.log != nil {
		if err := s.log.Open(); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	if s.tls != nil {
		l = http2.NewTLSListener(l, s.tls)
	}
	if err := s.http.Serve(l); !errors.Is(err, http2.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown implements plugin.Server.
func (s *server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }
