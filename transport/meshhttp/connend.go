package meshhttp

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"

	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/http2"
)

// ConnEnd is what a connection of the HTTP/1.1 engine came to, as metrics want it.
func ConnEnd(r http1.ConnReport) transport.ConnEnd {
	_, handshake := errors.AsType[*http1.HandshakeError](r.ReadErr)
	return transport.ConnEnd{
		Lived: r.Lived, Received: r.Received, Sent: r.Sent, Requests: r.Requests, TLS: r.TLS,
		ReadErr: r.ReadErr, WriteErr: r.WriteErr, Handshake: handshake,
	}
}

// H2ConnEnd is what a connection of the HTTP/2 engine came to that has ended with err. All
// that it waits for with a limit is to be written.
func H2ConnEnd(c *http2.Conn, err error) transport.ConnEnd {
	received, sent, streams := c.Traffic()
	e := transport.ConnEnd{Lived: c.Age(), Received: received, Sent: sent, Requests: streams, TLS: c.Secure()}
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, http2.ErrClosed):
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.WriteErr = err
	default:
		e.ReadErr = err
	}
	return e
}

// secure reports whether nc is a connection of TLS.
func secure(nc net.Conn) bool {
	_, ok := nc.(*tls.Conn)
	return ok
}
