package meshhttp

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// upstream carries requests to one endpoint. It is all that the rest of the
// package knows of the engine that writes and reads HTTP/1.1.
type upstream interface {
	// send sends req, whose URL has neither scheme nor host, and returns the response.
	// It reports through s what it learns on the way. An error in making a connection
	// is a *dialError. The URL is rewritten in place.
	send(req *http.Request, s *sending) (*http.Response, error)
	// tunnel opens a connection that is the caller's to use and to close.
	tunnel(req *http.Request) (net.Conn, error)
	// Close closes the idle connections. Those in use close when they become idle.
	io.Closer
}

// dialError marks an error as one of making a connection, before anything of a
// request was sent.
type dialError struct {
	err       error
	handshake bool // the peer was reached and TLS failed
	setup     bool // nothing was tried: the settings are wrong
}

// Error returns the cause's text.
func (e *dialError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *dialError) Unwrap() error { return e.err }

// sending is what an engine reports of one sending, besides its result. The first
// two fields are set before it begins.
type sending struct {
	traced  bool // somebody wants to know when the request was written
	limited bool // the request's context may end long before its body does

	mu    sync.Mutex
	conn  *countedConn
	mark  int64 // bytes written on conn before this request
	left  bool  // bytes of this request left on another connection
	fresh bool  // a new connection was made
	wrote time.Time

	// clean is set by an engine that has nothing of the request left in its hands when
	// the response has come to its end.
	clean bool

	free func() // gives back a place in the pool; nil: none is held
}

// on reports that the request is about to be written to conn.
func (s *sending) on(conn *countedConn, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = s.left || s.leftLocked()
	s.conn, s.mark = conn, conn.written.Load()
	s.fresh = s.fresh || fresh
}

// connected reports whether a new connection was made.
func (s *sending) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh
}

// current returns the connection that the request is on, which on has reported.
func (s *sending) current() *countedConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// written reports that the whole request was.
func (s *sending) written() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = time.Now()
}

// wroteAt returns when the request was written, the zero time if it was not.
func (s *sending) wroteAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrote
}

// sent reports whether any byte of the request can have reached the endpoint.
func (s *sending) sent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left || s.leftLocked()
}

func (s *sending) leftLocked() bool { return s.conn != nil && s.conn.written.Load() != s.mark }

// release ends the sending, when its response has been read.
func (s *sending) release() {
	if s.free != nil {
		s.free()
		s.free = nil
	}
}
