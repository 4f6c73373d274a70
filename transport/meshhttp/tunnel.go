package meshhttp

import (
	"context"
	"net"
	"net/http"
	"time"
)

// tunnel answers CONNECT: it opens a connection to the endpoint that the name is
// bound to and hands it over as the response's body, which is also an io.Writer.
// What flows through it is the caller's business.
func tunnel(req *http.Request, up upstream) (*http.Response, error) {
	conn, err := up.tunnel(req)
	if err != nil {
		return nil, err
	}
	// The request's end ends the reading and writing, as it would with a body in flight.
	stop := context.AfterFunc(req.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // it is closed if that fails
	resp := newResponse(req, http.StatusOK, nil)
	resp.ContentLength = -1
	delete(resp.Header, "Content-Length")
	resp.Body = &tunnelBody{Conn: conn, stop: stop}
	return resp, nil
}

// tunnelBody is the connection behind a CONNECT response.
type tunnelBody struct {
	net.Conn
	stop func() bool
}

// Close implements io.Closer.
func (b *tunnelBody) Close() error {
	b.stop()
	return b.Conn.Close()
}

// CloseWrite ends the writing half, if the connection can.
func (b *tunnelBody) CloseWrite() error {
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return http.ErrNotSupported
}
