package http1

import (
	"errors"
	"fmt"
)

var (
	// ErrTooManyWaiters says that a request would have had to wait for a connection
	// and PoolOptions.MaxWaiters already do. Nothing was sent.
	ErrTooManyWaiters = errors.New("http1: too many requests wait for a connection to the endpoint")
	// ErrPoolClosed says that a Pool was used after its Close. Nothing was sent.
	ErrPoolClosed = errors.New("http1: the pool is closed")
)

// ConnectError says that no connection could be made. Nothing was sent on it; that a
// request was sent before, on a connection that turned out dead, Exchange.Sent says.
type ConnectError struct {
	Err       error
	Handshake bool // the endpoint was reached and TLS failed
}

// Error implements error.
func (e *ConnectError) Error() string { return "http1: connecting: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// HandshakeError is for PoolOptions.Dial to say that TLS failed on a connection that
// was made. It becomes ConnectError.Handshake.
type HandshakeError struct{ Err error }

// Error implements error.
func (e *HandshakeError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// RequestError says that a request cannot be sent as it is. Nothing was sent.
type RequestError struct {
	What string
}

// Error implements error.
func (e *RequestError) Error() string { return "http1: request: " + e.What }

// ResponseError says that an endpoint's response breaks the protocol or a limit of
// PoolOptions. Its connection is not used again.
type ResponseError struct {
	Err error
}

// Error implements error.
func (e *ResponseError) Error() string { return fmt.Sprintf("http1: malformed response: %v", e.Err) }

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.Err }
