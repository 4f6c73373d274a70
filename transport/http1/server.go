package http1

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves HTTP/1.0 and HTTP/1.1 with one goroutine for each connection, on which
// the Handler runs. It is safe for concurrent use.
//
// It differs from net/http's in this: requests that parsers could disagree about are
// refused; a Handler may always write before it has read the request; Content-Type is
// not guessed; and a response with status 304 keeps its Content-Length and Content-Type.
//
// If reading a request's body has failed because the body is malformed or longer than
// ServerOptions.MaxBodyBytes, and the Handler begins its response after that with another
// status than a 4xx, then what the caller gets is 400, 413 or whatever says so, without
// a body, and not what the Handler writes.
type Server struct {
	o          ServerOptions
	lim        limits
	log        logger
	dates      dates
	workspaces sync.Pool // of *workspace
	copying    sync.Pool // of *[]byte

	draining atomic.Bool

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*serverConn]struct{}
	emptied   chan struct{} // closed when there are no conns; nil: nobody waits for that
}

// NewServer returns a Server.
func NewServer(o ServerOptions) *Server {
	return &Server{
		o: o.withDefaults(), lim: o.limits(), log: logger{o.Logger},
		listeners: make(map[net.Listener]struct{}), conns: make(map[*serverConn]struct{}),
	}
}

// Pauses after an Accept that failed for a reason that may pass, such as too many
// open files.
const (
	firstPause = 5 * time.Millisecond
	longPause  = time.Second
)

// Serve serves the connections that l accepts, until l fails or the Server is shut down
// or closed, which makes it return http.ErrServerClosed. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer func() { _ = l.Close() }() // it may have been closed already
	if !s.listen(l) {
		return http.ErrServerClosed
	}
	defer s.deafen(l)
	for pause := firstPause; ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = firstPause
			if c := s.track(nc); c != nil {
				go c.serve()
			}
		case s.draining.Load():
			return http.ErrServerClosed
		case passes(err):
			s.log.warn("http1: accept failed, trying again", err)
			time.Sleep(pause)
			pause = min(2*pause, longPause)
		default:
			return err
		}
	}
}

// passes reports whether Accept may succeed after err.
func passes(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Temporary() //nolint:staticcheck // deprecated for its vagueness, and there is no other way to ask
}

// ServeConn serves one connection and returns when it has ended or was hijacked.
func (s *Server) ServeConn(nc net.Conn) {
	if c := s.track(nc); c != nil {
		ended := make(chan struct{})
		c.ended = ended
		c.serve() // which goes on elsewhere when the connection has been idle
		<-ended
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) deafen(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// track returns the serverConn for nc, or nil after closing it if no more are served.
func (s *Server) track(nc net.Conn) *serverConn {
	c := newServerConn(s, nc)
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		_ = nc.Close() // it was never used
		return nil
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if s.o.Observer.Opened != nil {
		s.o.Observer.Opened(nc)
	}
	return c
}

// forget ends the tracking of c.
func (s *Server) forget(c *serverConn) {
	if s.o.Observer.Closed != nil {
		r := c.traffic.report(c.nc, time.Since(c.born), c.requests)
		r.Reason = c.reason
		s.o.Observer.Closed(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.emptied != nil {
		close(s.emptied)
		s.emptied = nil
	}
}

// drain stops accepting and returns the connections there are, and a channel that is
// closed when they have ended.
func (s *Server) drain() (conns []*serverConn, done <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining.Store(true)
	for l := range s.listeners {
		_ = l.Close() // Serve hears of it
	}
	for c := range s.conns {
		conns = append(conns, c)
	}
	if s.emptied == nil {
		s.emptied = make(chan struct{})
	}
	done = s.emptied
	if len(s.conns) == 0 {
		close(s.emptied)
		s.emptied = nil
	}
	return conns, done
}

// Shutdown closes the listeners and the idle connections, and waits for the others to
// come to the end of the request under way, whose response says "Connection: close". If
// ctx ends first, the connections left are closed, the contexts of their requests
// cancelled, and the error of ctx is returned without waiting for their Handlers.
// Hijacked connections are not its business.
func (s *Server) Shutdown(ctx context.Context) error {
	conns, done := s.drain()
	for _, c := range conns {
		c.drain()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	conns, _ = s.drain()
	for _, c := range conns {
		c.kill()
	}
	return ctx.Err()
}

// Close closes the listeners and all connections but hijacked ones, cancels the contexts
// of their requests, and waits until their Handlers have returned. A Handler must not
// call it.
func (s *Server) Close() error {
	conns, done := s.drain()
	for _, c := range conns {
		c.kill()
	}
	<-done
	return nil
}
