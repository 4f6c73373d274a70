package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// errNotHTTP2 ends connections that speak something else.
var errNotHTTP2 = errors.New("http2: the client does not speak HTTP/2")

// errTaken says that OnOther has taken the connection.
var errTaken = errors.New("http2: the connection is another's")

// serverConn is a connection that is served by handlers.
type serverConn struct {
	server  *Server
	ctx     context.Context // of the connection: the parent of its requests'
	remote  string
	tls     *tls.ConnectionState // nil: cleartext
	running atomic.Int64         // handlers
	// limit of running: a handler may take its time to return after its stream was
	// reset, and a client may open another stream meanwhile, but not for ever.
	limit int64
}

// serveConn serves nc to its end.
func (s *Server) serveConn(nc net.Conn) error {
	c, err := s.handshake(nc)
	if err != nil {
		if errors.Is(err, errTaken) {
			return nil
		}
		_ = nc.Close()
		return err
	}
	if !s.established(nc, c) {
		return errors.Join(ErrServerClosed, c.Close(), nc.Close())
	}
	if s.o.Accept != nil {
		c.accept = s.o.Accept(c)
		return s.run(c)
	}
	base := context.Background()
	if s.o.BaseContext != nil {
		base = s.o.BaseContext(nc)
	}
	ctx, cancel := context.WithCancel(context.WithValue(base, http.LocalAddrContextKey, nc.LocalAddr()))
	defer cancel()
	sc := &serverConn{server: s, ctx: ctx, remote: nc.RemoteAddr().String(), limit: 2 * int64(c.o.MaxConcurrentStreams), tls: c.tlsState}
	c.accept = sc.accept
	return s.run(c)
}

// run reads c to its end.
func (s *Server) run(c *Conn) error {
	if s.o.Observer != nil {
		s.o.Observer.Opened(c)
	}
	err := c.Serve()
	if s.o.Observer != nil {
		s.o.Observer.Closed(c, err)
	}
	return err
}

// handshake finds out what nc speaks, and returns the HTTP/2 connection that it becomes.
func (s *Server) handshake(nc net.Conn) (*Conn, error) {
	if err := nc.SetDeadline(time.Now().Add(s.o.HandshakeTimeout)); err != nil {
		return nil, fmt.Errorf("http2: handshake: %w", err)
	}
	if tc, ok := nc.(*tls.Conn); ok {
		if err := tc.HandshakeContext(context.Background()); err != nil { // limited by the deadline
			return nil, fmt.Errorf("http2: TLS handshake with %s: %w", nc.RemoteAddr(), err)
		}
		if proto := tc.ConnectionState().NegotiatedProtocol; proto != xhttp2.NextProtoTLS {
			return nil, s.other(nc, nil)
		}
		if err := nc.SetDeadline(time.Time{}); err != nil {
			return nil, fmt.Errorf("http2: handshake: %w", err)
		}
		return NewServerConn(nc, s.o.Conn, nil), nil
	}
	begin, err := readPreface(nc)
	switch {
	case errors.Is(err, errNotHTTP2):
		return s.upgradeConn(nc, begin)
	case err != nil:
		return nil, fmt.Errorf("http2: waiting for the preface of %s: %w", nc.RemoteAddr(), err)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("http2: handshake: %w", err)
	}
	c := NewServerConn(nc, s.o.Conn, nil)
	c.preface = true
	c.in.count(len(xhttp2.ClientPreface))
	return c, nil
}

// readPreface reads the preface and nothing behind it. What was read until it was clear
// that this is none comes with errNotHTTP2.
func readPreface(nc net.Conn) ([]byte, error) {
	buf := make([]byte, len(xhttp2.ClientPreface))
	for n := 0; n < len(buf); {
		more, err := nc.Read(buf[n:])
		n += more
		if string(buf[:n]) != xhttp2.ClientPreface[:n] {
			return buf[:n], errNotHTTP2
		}
		if err != nil && n < len(buf) {
			return nil, err
		}
	}
	return nil, nil
}

// other gives up nc, of which begin was read.
func (s *Server) other(nc net.Conn, begin []byte) error {
	if s.o.OnOther == nil {
		return errNotHTTP2
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("http2: handshake: %w", err)
	}
	if len(begin) > 0 {
		nc = &replayConn{Conn: nc, begin: begin}
	}
	s.o.OnOther(nc)
	return errTaken
}

// logEnd logs why a connection ended, if that is of interest.
func (s *Server) logEnd(nc net.Conn, err error) {
	logger := s.o.Conn.Logger
	switch {
	case err == nil || logger == nil || errors.Is(err, io.EOF) || errors.Is(err, ErrServerClosed) || errors.Is(err, net.ErrClosed):
	case errors.Is(err, errNotHTTP2):
		logger.Warn("HTTP/2 router could not handle non-HTTP/2 request!", "remote", nc.RemoteAddr().String())
	default:
		logger.Debug("connection ended", "remote", nc.RemoteAddr().String(), "err", err)
	}
}

// replayConn is a connection of which the beginning was read already.
type replayConn struct {
	net.Conn
	begin []byte
}

// Read implements net.Conn.
func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.begin) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.begin)
	c.begin = c.begin[n:]
	return n, nil
}
