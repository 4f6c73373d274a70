package meshhttp

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/transport/http1"
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

// errTooManyWaiters says that PoolOptions.MaxWaiters was exceeded.
var errTooManyWaiters = errors.New("meshhttp: too many requests wait for a connection to the endpoint")

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
// fields are set before it begins.
type sending struct {
	traced  bool // somebody wants to know when the request was written
	limited bool // the request's context may end long before its body does

	// clean is set by an engine that has nothing of the request left in its hands when
	// the response has come to its end.
	clean bool

	body wireBody // room for that of the response

	// One of these is in use, by which engine it is.
	h1  http1.Exchange
	h2  *h2Sending
	net *netSending
}

// connected reports whether a new connection was made.
func (s *sending) connected() bool {
	switch {
	case s.net != nil:
		return s.net.connected()
	case s.h2 != nil:
		return s.h2.Fresh
	default:
		return s.h1.Fresh
	}
}

// sent reports whether any byte of the request can have reached the endpoint.
func (s *sending) sent() bool {
	switch {
	case s.net != nil:
		return s.net.sent()
	case s.h2 != nil:
		return s.h2.Sent
	default:
		return s.h1.Sent
	}
}

// wroteAt returns when the request was written, the zero time if it was not.
func (s *sending) wroteAt() time.Time {
	switch {
	case s.net != nil:
		return s.net.wroteAt()
	case s.h2 != nil:
		return s.h2.wroteAt()
	default:
		return s.h1.WroteAt()
	}
}

// release ends the sending, when its response has been read.
func (s *sending) release() {
	if s.net != nil {
		s.net.release()
	}
}
