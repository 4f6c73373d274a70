package http1

import (
	"errors"
	"net/http"
)

// ProtocolError says that a peer sent what is not HTTP/1.1, or more of it than the
// limits allow. The connection it came from cannot be used any more.
type ProtocolError struct {
	Status int    // what a server answers to such a request: 400, 408, 413, 414, 417, 431, 501 or 505
	What   string // what was wrong, and where
}

// Error implements error.
func (e *ProtocolError) Error() string { return "http1: " + e.What }

// refuse returns the error for a request or response that is not HTTP/1.1.
func refuse(status int, what string) error { return &ProtocolError{Status: status, What: what} }

// statusOf returns the status to answer to err, zero if there is nobody to answer.
func statusOf(err error) int {
	if e, ok := errors.AsType[*ProtocolError](err); ok {
		return e.Status
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return 0
}
