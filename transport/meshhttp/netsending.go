package meshhttp

import (
	"sync"
	"time"
)

// netSending is what net/http's client trace tells of one sending.
type netSending struct {
	mu    sync.Mutex
	conn  *countedConn
	mark  int64 // bytes written on conn before this request
	left  bool  // bytes of this request left on another connection
	fresh bool  // a new connection was made
	wrote time.Time

	free func() // gives back a place in the pool; nil: none is held
}

// on reports that the request is about to be written to conn.
func (s *netSending) on(conn *countedConn, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = s.left || s.leftLocked()
	s.conn, s.mark = conn, conn.written.Load()
	s.fresh = s.fresh || fresh
}

// connected reports whether a new connection was made.
func (s *netSending) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh
}

// current returns the connection that the request is on, which on has reported.
func (s *netSending) current() *countedConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// written reports that the whole request was.
func (s *netSending) written() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = time.Now()
}

// wroteAt returns when the request was written, the zero time if it was not.
func (s *netSending) wroteAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrote
}

// sent reports whether any byte of the request can have reached the endpoint.
func (s *netSending) sent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left || s.leftLocked()
}

func (s *netSending) leftLocked() bool { return s.conn != nil && s.conn.written.Load() != s.mark }

// release ends the sending, when its response has been read.
func (s *netSending) release() {
	if s.free != nil {
		s.free()
		s.free = nil
	}
}
