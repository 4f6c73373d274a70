package httprouter

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// server is one listener of a router.
type server struct {
	addr  netip.AddrPort
	http  *http1.Server
	h2    *http2.Server // of the callers that speak HTTP/2; nil: none may
	tls   *tls.Config
	conns *serverConns
	log   *accesslog.Log // nil if there is none
}

var _ plugin.Server = (*server)(nil)

func (b *builder) server(i int, t *meshhttp.Transport) (*server, error) {
	c := b.c.Servers[i]
	addr := b.c.Addr(i)
	scope := b.Env.Tree.Scope("rt", b.c.Name(), "server", addr.Addr().String()+"/"+strconv.Itoa(int(addr.Port())))
	conns := newServerConns(scope)
	o := meshhttp.ServerOptions{
		Transport:           t,
		Label:               b.c.Name(),
		ClearContext:        c.ClearContext,
		MaxHeaderBytes:      kb(b.c.MaxHeadersKB),
		MaxInitialLineBytes: kb(b.c.MaxInitialLineKB),
		MaxErrBytes:         kb(b.c.MaxErrResponseKB),
		Compression:         compression(b.c.CompressionLevel),
		Recycle:             true,
		Tunnel:              conns.tunnel,
		Metrics:             scope,
	}
	if c.MaxConcurrentRequests != nil {
		o.MaxConcurrent = *c.MaxConcurrentRequests
	}
	if c.Timeout != nil {
		o.Timeout = *c.Timeout
	}
	if c.TimestampHeader != nil {
		o.TimestampHeader = *c.TimestampHeader
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
	h := meshhttp.NewHandler(o)
	s := &server{addr: addr, conns: conns, log: b.log}
	protocols := []string{"http/1.1"}
	if c.HTTP2 == nil || *c.HTTP2 {
		protocols = []string{"h2", "http/1.1"}
		s.h2 = b.http2(c, h, conns)
	}
	s.http = b.http1(c, h, conns, s.h2)
	if c.TLS != nil {
		s.tls = b.ServerTLS(*c.TLS, protocols...)
	}
	return s, nil
}

// http1 is the side of the server that all connections come to.
func (b *builder) http1(c config.Server, h http.Handler, conns *serverConns, h2 *http2.Server) *http1.Server {
	o := http1.ServerOptions{
		Handler:        h,
		MaxLineBytes:   kb(b.c.MaxInitialLineKB),
		MaxHeaderBytes: kb(b.c.MaxHeadersKB),
		Recycle:        true,
		NoDate:         true, // the endpoint's is passed on
		BaseContext:    meshhttp.WithConnLabel,
		Observer:       conns.observer(),
		Logger:         b.Logger(),
	}
	if c.SocketOptions.ReadTimeout != nil {
		o.ReadTimeout = *c.SocketOptions.ReadTimeout
	}
	if c.SocketOptions.WriteTimeout != nil {
		o.WriteTimeout = *c.SocketOptions.WriteTimeout
	}
	if s := c.ServerSession; s != nil {
		if s.LifeTime != nil {
			o.LifeTime = *s.LifeTime
		}
		if s.IdleTime != nil {
			o.IdleTimeout = *s.IdleTime
		}
	}
	if b.aggregates() {
		o.MaxBodyBytes = mostAggregated
	}
	if h2 != nil {
		o.Preface = func(conn net.Conn) http1.Session { return h2Session{server: h2, conn: conn} }
	}
	return http1.NewServer(o)
}

// http2 is the side of the server that connections go on to which turn out to speak
// HTTP/2.
func (b *builder) http2(c config.Server, h http.Handler, conns *serverConns) *http2.Server {
	o := http2.ServerOptions{
		Handler:        h,
		BaseContext:    func(conn net.Conn) context.Context { return meshhttp.WithConnLabel(context.Background(), conn) },
		MaxUpgradeBody: -1,
		Conn:           http2.Options{MaxHeaderListBytes: uint32(max(kb(b.c.MaxHeadersKB), defaultHeadBytes)), Logger: b.Logger()}, //nolint:gosec // a few megabytes at most
	}
	o.Conn.Received, o.Conn.Sent = conns.Received, conns.Sent
	if c.SocketOptions.WriteTimeout != nil {
		o.Conn.WriteTimeout = *c.SocketOptions.WriteTimeout
	}
	if s := c.ServerSession; s != nil {
		if s.LifeTime != nil {
			o.Conn.LifeTime = *s.LifeTime
		}
		if s.IdleTime != nil {
			o.Conn.IdleTimeout = *s.IdleTime
		}
	}
	return http2.NewServer(o)
}

// h2Session is a connection that speaks HTTP/2. It is drained with its server.
type h2Session struct {
	server *http2.Server
	conn   net.Conn
}

// Serve implements http1.Session.
func (s h2Session) Serve() error { return s.server.ServeConn(s.conn) }

// Drain implements http1.Session.
func (h2Session) Drain() {}

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
		l = http1.NewTLSListener(l, s.tls)
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown implements plugin.Server.
func (s *server) Shutdown(ctx context.Context) error {
	drained := make(chan error, 1)
	if s.h2 != nil {
		go func() { drained <- s.h2.Shutdown(ctx) }()
	} else {
		drained <- nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	err = errors.Join(err, <-drained)
	s.conns.closeTunnels()
	return err
}

func kb(n *int) int {
	if n == nil {
		return 0
	}
	return *n << 10
}

// compression turns Linkerd's compressionLevel (-1: textual types, 0: off) into
// that of meshhttp.
func compression(level *int) int {
	switch {
	case level == nil || *level < 0:
		return 0
	case *level == 0:
		return meshhttp.NoCompression
	default:
		return *level
	}
}
