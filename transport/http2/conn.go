package http2

import (
	"net"

	"golang.org/x/net/http2/hpack"
)

// Conn is one HTTP/2 connection. Its reader is the goroutine that calls Serve.
// Everything else may be called from any goroutine.
type Conn struct {
	nc net.Conn
}

// NewServerConn returns the server side of nc: cleartext with the client's preface still
// to come, or a *tls.Conn after its handshake (best with Buffered under it).
func NewServerConn(nc net.Conn, o Options, accept Accept) *Conn { return &Conn{nc: nc} }

// NewClientConn returns the client side of nc. closed is called once by Serve before it
// returns; nil: not called.
func NewClientConn(nc net.Conn, o Options, closed func(*Conn, error)) *Conn { return &Conn{nc: nc} }

// Upgraded makes the request of an HTTP/1.1 upgrade to h2c stream 1 of a server
// connection; to be called once, before Serve, after the 101 answer was written. settings
// is the value of HTTP2-Settings; body the request's whole body. Accept is called when
// Serve begins.
func (c *Conn) Upgraded(settings string, fields []hpack.HeaderField, body []byte) error { return nil }

// Serve reads until the connection ends, calls the events, and returns why it ended: nil
// if it ended after Drain, Close or the peer's orderly end.
func (c *Conn) Serve() error { return nil }

// Open opens a stream on a client connection. fields has the pseudo-headers first.
// Errors: ErrStreamLimit, ErrDraining, ErrClosed; nothing was sent then.
func (c *Conn) Open(r Receiver, fields []hpack.HeaderField, end bool) (*Stream, error) {
	return nil, ErrClosed
}

// Streams returns the number of open streams.
func (c *Conn) Streams() int { return 0 }

// Free returns how many streams could be opened now on a client connection.
func (c *Conn) Free() int { return 0 }

// Draining says whether the connection takes no more new streams.
func (c *Conn) Draining() bool { return false }

// Drain ends the connection gracefully.
func (c *Conn) Drain() {}

// Close ends the connection at once.
func (c *Conn) Close() error { return nil }

// NetConn returns the connection given, for its addresses and TLS state.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Flush writes what is buffered. It never blocks.
func (c *Conn) Flush() {}

// FlushAfter has o flushed when c's reader has nothing more to read; at once if the
// reader is waiting now.
func (c *Conn) FlushAfter(o *Conn) {}
