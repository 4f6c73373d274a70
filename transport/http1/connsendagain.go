package http1

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// suspectAfter is the idle time after which a connection is looked at before a request
// is sent on it that could be sent again without looking.
const suspectAfter = time.Second

// suspicious reports whether c, which was idle, is to be looked at before it is used.
// A request that may be sent again needs no look, which costs a system call, to find
// out that the endpoint has closed the connection. But where the last request had a
// body, the endpoint may have taken a part of it for a request, and the answer to that
// must not become the answer to this one.
func (t *turn) suspicious(c *poolConn) bool {
	return !t.replay || !safe(t.req.Method) || c.fed || time.Since(c.idleSince) > suspectAfter
}

// safe reports whether a method changes nothing (RFC 9110 §9.2.1).
func safe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// idempotent reports whether a request that was processed may be sent again (RFC 9110
// §9.2.2).
func idempotent(method string) bool {
	return safe(method) || method == http.MethodPut || method == http.MethodDelete
}

// stale reports whether err can be that of a connection which was closed while it was
// idle, and the request may be sent on another one.
func (t *turn) stale(err error) bool {
	var unsent *unsentError
	switch {
	case t.heard, !t.replay, isTimeout(err), t.ctx.Err() != nil:
		return false
	case errors.As(err, &unsent):
		return true
	}
	_, malformed := errors.AsType[*ResponseError](err)
	_, ours := errors.AsType[*bodyError](err)
	return !malformed && !ours && (idempotent(t.req.Method) || errors.Is(err, io.EOF) && t.c != nil && t.c.unheard())
}

// unsentError is a failed write before which nothing had been sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "http1: writing the request: " + e.err.Error() }

func (e *unsentError) Unwrap() error { return e.err }

// again prepares the request to be sent once more.
func (t *turn) again() error {
	t.x.Resent = true
	body := t.req.Body
	if t.fed && t.out.mem == nil {
		t.out.close()
		var err error
		if body, err = t.req.GetBody(); err != nil {
			return &bodyError{err}
		}
	}
	return t.plan(body)
}
