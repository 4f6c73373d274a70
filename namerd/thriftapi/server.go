package thriftapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/weft-mesh/weft/namerd"
)

const (
	// handshakeTimeout is how long a client may take for TLS.
	handshakeTimeout = 10 * time.Second

	// acceptMin and acceptMax bound the delay after a connection could not be accepted.
	acceptMin = 5 * time.Millisecond
	acceptMax = time.Second
)

// ErrClosed is what Serve returns after Close or Shutdown.
var ErrClosed = errors.New("thriftapi: the server is closed")

// Server serves io.l5d.thriftNameInterpreter. It is safe for concurrent use. Close
// it before the Namerd.
type Server struct {
	opts  Options
	namer *namer

	ctx context.Context // ends with Close; the parent of every call's
	end context.CancelFunc
	wg  sync.WaitGroup // connections

	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
}

// New returns a Server.
func New(n *namerd.Namerd, o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.namer = newNamer(s.ctx, n, o)
	return s
}

// Serve accepts connections, and closes ln in the end. It returns nil after Close
// or Shutdown, and ErrClosed if it was called after them.
func (s *Server) Serve(ln net.Listener) error {
	defer func() { _ = ln.Close() }() // it may be closed already
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return ErrClosed
	}
	s.listeners[ln] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, ln)
	}()
	delay := acceptMin
	for {
		c, err := ln.Accept()
		switch {
		case err == nil:
			delay = acceptMin
			s.start(c)
		case s.isClosing():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as too many open files
			s.opts.Logger.Warn("a connection could not be accepted", "err", err)
			select {
			case <-time.After(delay):
			case <-s.ctx.Done():
			}
			delay = min(2*delay, acceptMax)
		}
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// start serves a connection.
func (s *Server) start(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		_ = nc.Close()
		return
	}
	c := newConn(s, nc)
	s.conns[c] = struct{}{}
	s.wg.Go(func() {
		c.run()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	})
}

// Shutdown closes the listeners and asks the clients to go elsewhere: those of mux
// are told that the connection drains, and the requests that wait are handed back
// to be made somewhere else; other connections are closed. It waits until all
// connections have ended. When ctx ends first it cuts them and returns the
// context's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	var drains sync.WaitGroup
	for _, c := range s.beginClosing() {
		drains.Go(c.drain)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		drains.Wait()
		s.wg.Wait()
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	_ = s.Close()
	<-ended
	return err
}

// Close closes the listeners, cuts all connections and waits for their calls. It
// may be called more than once.
func (s *Server) Close() error {
	conns := s.beginClosing()
	s.end()
	for _, c := range conns {
		c.close()
	}
	s.wg.Wait()
	s.namer.close()
	return nil
}

// beginClosing closes the listeners and returns the connections, to which none will
// be added.
func (s *Server) beginClosing() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for ln := range s.listeners {
		_ = ln.Close()
	}
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// secure does the server's side of TLS, if there is any.
func (s *Server) secure(nc net.Conn) (net.Conn, error) {
	if s.opts.TLS == nil {
		return nc, nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTimeout)
	defer cancel()
	c := tls.Server(nc, s.opts.TLS)
	return c, c.HandshakeContext(ctx)
}
