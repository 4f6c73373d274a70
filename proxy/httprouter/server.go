package httprouter

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// server is one listener of a router, on net/http.
type server struct {
	addr netip.AddrPort
	http *http.Server
	tls  *tls.Config
	conn *serverConns
	log  *accesslog.Log // nil if there is none
}

func (b *builder) server(i int, t *meshhttp.Transport) (*server, error) {
	c := b.c.Servers[i]
	addr := b.c.Addr(i)
	scope := b.env.Tree.Scope("rt", b.c.Name(), "server", addr.Addr().String()+"/"+strconv.Itoa(int(addr.Port())))
	o := meshhttp.ServerOptions{
		Transport:           t,
		Label:               b.c.Name(),
		ClearContext:        c.ClearContext,
		MaxHeaderBytes:      kb(b.c.MaxHeadersKB),
		MaxInitialLineBytes: kb(b.c.MaxInitialLineKB),
		MaxErrBytes:         kb(b.c.MaxErrResponseKB),
		Compression:         compression(b.c.CompressionLevel),
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
	conns := newServerConns(scope, c.ServerSession)
	s := &server{addr: addr, conn: conns, log: b.log}
	s.http = &http.Server{
		Handler:           conns.handler(h),
		MaxHeaderBytes:    headBytes(o.MaxHeaderBytes, o.MaxInitialLineBytes),
		ReadHeaderTimeout: time.Minute, // a caller that does not finish its head is not served
		ErrorLog:          slog.NewLogLogger(b.logger().Handler(), slog.LevelDebug),
		ConnState:         conns.state,
		ConnContext:       conns.context,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1 only
		// OPTIONS * is for the endpoint to answer.
		DisableGeneralOptionsHandler: true,
	}
	if c.SocketOptions.ReadTimeout != nil {
		s.http.ReadTimeout = *c.SocketOptions.ReadTimeout
	}
	if c.SocketOptions.WriteTimeout != nil {
		conns.writeTimeout = *c.SocketOptions.WriteTimeout
	}
	if c.TLS != nil {
		s.tls = tlsfiles.Server(*c.TLS, "http/1.1")
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
	l = s.conn.listener(l)
	if s.tls != nil {
		l = tls.NewListener(l, s.tls)
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown implements plugin.Server.
func (s *server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.conn.closeTunnels()
	return err
}

// headBytes is how much of a head net/http reads. It is more than what is allowed,
// because what is read is refused by Handler, which tells a long line (414) from
// long headers (431); net/http knows only 431.
func headBytes(headers, line int) int { return headers + line + 1<<20 }

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

var _ plugin.Server = (*server)(nil)
