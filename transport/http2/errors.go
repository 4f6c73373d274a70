package http2

import (
	"errors"
	"fmt"

	xhttp2 "golang.org/x/net/http2"
)

var (
	// ErrStreamLimit is returned by Open when the peer allows no more streams now.
	// Nothing was sent.
	ErrStreamLimit = errors.New("http2: the peer allows no more streams now")
	// ErrDraining is returned by Open when the connection takes no new streams: GOAWAY
	// was seen or sent, or the stream ids are used up. Nothing was sent.
	ErrDraining = errors.New("http2: the connection takes no new streams")
	// ErrClosed is returned by calls on a connection that has ended. Nothing was sent.
	ErrClosed = errors.New("http2: the connection is closed")
	// ErrEnded is returned by calls on a stream whose sending side has ended.
	ErrEnded = errors.New("http2: the sending side of the stream has ended")
)

// ResetError says that one stream was ended early, by RST_STREAM.
type ResetError struct {
	Code   xhttp2.ErrCode
	Remote bool   // the peer sent it; otherwise the peer broke a rule and this side did
	Reason string // which rule; "" if Remote
}

// Error implements error.
func (e *ResetError) Error() string {
	if e.Remote {
		return "http2: stream reset by the peer: " + e.Code.String()
	}
	return fmt.Sprintf("http2: stream reset: %s: %s", e.Code, e.Reason)
}

// ConnError says that the connection under a stream was lost or will not process the
// stream.
type ConnError struct {
	Err         error // why the connection ended, or a *GoAwayError
	Unprocessed bool  // the peer provably did nothing with the stream: it may be repeated elsewhere
}

// Error implements error.
func (e *ConnError) Error() string { return "http2: connection lost: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ConnError) Unwrap() error { return e.Err }

// GoAwayError is a GOAWAY frame that the peer sent.
type GoAwayError struct {
	Code  xhttp2.ErrCode
	Last  uint32 // the last stream that it may have processed
	Debug string
}

// Error implements error.
func (e *GoAwayError) Error() string {
	return fmt.Sprintf("http2: GOAWAY from the peer: %s, last stream %d %q", e.Code, e.Last, e.Debug)
}

// ProtocolError is a rule of the connection that the peer broke; the connection is
// closed with a GOAWAY frame of that code.
type ProtocolError struct {
	Code   xhttp2.ErrCode
	Reason string
}

// Error implements error.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("http2: peer broke the protocol: %s: %s", e.Code, e.Reason)
}
