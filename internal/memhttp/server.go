package memhttp

import (
	"errors"
	"net/http"
	"time"
)

// Server is an http.Server on a Network.
type Server struct {
	*http.Server
	Listener *Listener
	done     chan struct{}
}

// Serve starts h on addr of n. Close ends it.
func Serve(n *Network, addr string, h http.Handler) (*Server, error) {
	return Start(n, addr, &http.Server{Handler: h}) //nolint:gosec // nobody attacks it
}

// Start starts srv on addr of n. Close ends it.
func Start(n *Network, addr string, srv *http.Server) (*Server, error) {
	l, err := n.Listen(addr)
	if err != nil {
		return nil, err
	}
	s := &Server{Server: srv, Listener: l, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = srv.Serve(l) // its error says that it was closed
	}()
	return s, nil
}

// Close closes the server and its connections, and waits until its goroutines had
// the time to end that net/http gives to callers to read the last response; inside
// a bubble that takes no time.
func (s *Server) Close() error {
	err := errors.Join(s.Listener.Close(), s.Server.Close())
	<-s.done
	time.Sleep(linger)
	return err
}

// linger is a little more than net/http waits before it closes a connection whose
// writing half it has closed.
const linger = 600 * time.Millisecond
