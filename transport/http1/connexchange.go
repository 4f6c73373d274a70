package http1

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Exchange is what the caller of Pool.Send wants to know and say of one sending,
// besides the request. It is not used again for another one, except to add up what
// several sendings of a request did.
type Exchange struct {
	// HTTP10 makes the request one of HTTP/1.0: its body must be of known length, and
	// the connection ends with it.
	HTTP10 bool
	// Timed asks for WroteAt.
	Timed bool
	// Informational, if not nil, gets each 1xx response but 101. The header is valid
	// during the call only. An error ends the exchange.
	Informational func(status int, header http.Header) error

	// Fresh says that a connection was made for the request.
	Fresh bool
	// Sent says that bytes of the request can have reached the endpoint.
	Sent bool
	// Resent says that the request was sent again, because a connection that had been
	// idle turned out dead.
	Resent bool

	wrote atomic.Int64 // UnixNano
}

// WroteAt returns when the request was written to its end, if Timed asked for that:
// the zero time if it was not, or not yet, because the response to an upload may come
// before. It may be called at any time.
func (x *Exchange) WroteAt() time.Time {
	if n := x.wrote.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

func (x *Exchange) written() {
	if x.Timed {
		x.wrote.Store(time.Now().UnixNano())
	}
}
