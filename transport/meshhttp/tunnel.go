package meshhttp

import (
	"context"
	"net/http"
	"time"
)

// tunnel answers CONNECT: it opens a connection to the endpoint that the name is
// bound to and hands it over as the response's body, which is also an io.Writer.
// What flows through it is the caller's business.
func (w *wire) tunnel(req *http.Request) (*http.Response, error) {
	conn, err := w.dial(req.Context())
	if err != nil {
		return nil, err
	}
	// The request's end closes the connection, as it would with a body in flight.
	stop := context.AfterFunc(req.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	resp := newResponse(req, http.StatusOK, nil)
	resp.ContentLength = -1
	delete(resp.Header, "Content-Length")
	resp.Body = &tunnelBody{Conn: conn, stop: stop}
	return resp, nil
}
