package http2

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ErrServerClosed is what a Server's Serve returns after Shutdown and Close.
var ErrServerClosed = errors.New("http2: the server is closed")

// ServerOptions configure a Server. Handler or Accept is required; the zero value of
// the others is the documented default.
type ServerOptions struct {
	// Handler serves the requests, each in a goroutine.
	Handler http.Handler
	// Accept, if set, is used instead of Handler: it gives a new connection what takes
	// its streams as events. The connection's Serve has not begun yet.
	Accept func(c *Conn) Accept
	// Conn configures each connection. Its Logger is the server's as well.
	Conn Options
	// BaseContext returns what the contexts of a connection's requests are made from;
	// nil: the background.
	BaseContext func(nc net.Conn) context.Context
	// HandshakeTimeout limits the time until the client's preface, or its HTTP/1.1
	// request with the upgrade, has been read, and that of a TLS handshake; 0: 10 s.
	HandshakeTimeout time.Duration
	// MaxHandlers bounds the requests that are served at a time; more are refused
	// (REFUSED_STREAM), so that clients repeat them elsewhere. 0: no bound but that of
	// twice MaxConcurrentStreams for each connection, which counts handlers that still run
	// for streams that were reset.
	MaxHandlers int
	// MaxUpgradeBody is the longest body of a request that is upgraded from HTTP/1.1;
	// 0: 64 KiB, negative: nothing is upgraded.
	MaxUpgradeBody int64
	// OnOther takes over connections that do not speak HTTP/2: TLS ones that chose
	// another protocol, and cleartext ones that begin otherwise (what was read is read
	// again). nil: they are closed, with a warning.
	OnOther func(nc net.Conn)
	// Observer is told of connections; nil: nobody is.
	Observer ServerObserver
}

// ServerObserver is told what happens to a Server's connections. The methods must not
// block and may be called from any goroutine, with no lock held.
type ServerObserver interface {
	// Opened says that a client's connection speaks HTTP/2.
	Opened(c *Conn)
	// Closed says that c has ended, and why; nil: orderly.
	Closed(c *Conn, err error)
}

// Server serves HTTP/2 connections: TLS ones that chose h2 by ALPN, cleartext ones with
// prior knowledge, and those that are upgraded from HTTP/1.1 (h2c). It is safe for
// concurrent use.
type Server struct {
	o       ServerOptions
	names   names
	heads   headPool
	bodies  bodyPool
	date    atomic.Pointer[dateText]
	running atomic.Int64 // handlers

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]*Conn // nil: not HTTP/2 yet
	closed    bool
	done      chan struct{} // closed with closed
	work      sync.WaitGroup
}

// NewServer returns a Server.
func NewServer(o ServerOptions) *Server {
	if o.HandshakeTimeout <= 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.MaxUpgradeBody == 0 {
		o.MaxUpgradeBody = 64 << 10
	}
	if o.Conn.Buffers == nil {
		o.Conn.Buffers = new(Buffers)
	}
	return &Server{
		o:         o,
		listeners: map[net.Listener]struct{}{},
		conns:     map[net.Conn]*Conn{},
		done:      make(chan struct{}),
	}
}

// Serve accepts connections on l and serves each, until l fails or the server is shut
// down, which gives ErrServerClosed. It closes l. For TLS, l is best made by
// NewTLSListener.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close() //nolint:errcheck // it may be closed already
	if !s.listen(l) {
		return ErrServerClosed
	}
	defer s.unlisten(l)
	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			if !s.goServe(nc) {
				_ = nc.Close()
				return ErrServerClosed
			}
			continue
		}
		if s.isClosed() {
			return ErrServerClosed
		}
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Temporary() { //nolint:staticcheck // the only sign that no file descriptor was left
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		select {
		case <-time.After(pause):
		case <-s.done:
		}
	}
}

// goServe serves nc aside. It returns false if the server is closed.
func (s *Server) goServe(nc net.Conn) bool {
	if !s.track(nc) {
		return false
	}
	go func() {
		defer s.untrack(nc)
		s.logEnd(nc, s.serveConn(nc))
	}()
	return true
}

// ServeConn serves one connection until it ends, and says why it did; nil: orderly. It
// closes nc, unless OnOther has taken it.
func (s *Server) ServeConn(nc net.Conn) error {
	if !s.track(nc) {
		return errors.Join(ErrServerClosed, nc.Close())
	}
	defer s.untrack(nc)
	return s.serveConn(nc)
}

// Shutdown closes the listeners, lets the streams in flight end, tells the clients to
// open no more (GOAWAY), and waits for all of that. When ctx ends what is left is cut
// off, and ctx's error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.close() {
		c.Drain()
	}
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), s.Close())
	}
}

// Close closes the listeners and the connections and waits until the handlers have
// returned, whose contexts are cancelled. A handler must not call it.
func (s *Server) Close() error {
	s.close()
	s.mu.Lock()
	conns := make([]*Conn, 0, len(s.conns))
	for _, c := range s.conns {
		if c != nil {
			conns = append(conns, c)
		}
	}
	s.mu.Unlock()
	var err error
	for _, c := range conns {
		err = errors.Join(err, c.Close())
	}
	s.work.Wait()
	return err
}

// close stops accepting, closes connections that have said nothing yet, and returns the
// others.
func (s *Server) close() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	for l := range s.listeners {
		_ = l.Close()
	}
	var conns []*Conn
	for nc, c := range s.conns {
		if c == nil {
			_ = nc.Close()
		} else {
			conns = append(conns, c)
		}
	}
	return conns
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) unlisten(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) track(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[nc] = nil
	s.work.Add(1)
	return true
}

// established notes that nc speaks HTTP/2. It returns false if the server was closed.
func (s *Server) established(nc net.Conn, c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[nc] = c
	return true
}

func (s *Server) untrack(nc net.Conn) {
	s.mu.Lock()
	delete(s.conns, nc)
	s.mu.Unlock()
	s.work.Done()
}
