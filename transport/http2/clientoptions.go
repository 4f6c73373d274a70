package http2

import (
	"context"
	"net"
	"runtime"
	"time"
)

// ClientOptions configure a Client. Dial is required; the zero value of the others is
// the documented default.
type ClientOptions struct {
	// Dial makes a connection that speaks HTTP/2: cleartext, or a *tls.Conn after its
	// handshake, as HandshakeTLS returns. If its error is a *DialError it is kept.
	Dial func(ctx context.Context) (net.Conn, error)
	// Conn configures each connection. Its Room and Leaving are called too.
	Conn Options
	// DialTimeout limits Dial; 0: 10 s.
	DialTimeout time.Duration
	// SpreadStreams is the number of streams on each connection above which another one
	// is made; 0: 100. It is one core's share: a connection is read by one goroutine,
	// which relays some 200,000 small messages a second, so that a hundred calls of half
	// a millisecond keep it busy; and a hundred is the limit that most servers set.
	SpreadStreams int
	// MaxConns bounds the connections; 0: twice GOMAXPROCS, at least 4. Those that
	// drain do not count.
	MaxConns int
	// SpareIdle is for how long a connection beside the first is kept without streams;
	// 0: 30 s.
	SpareIdle time.Duration
	// ContinueTimeout is for how long RoundTrip waits for a 100 response to a request
	// that expects it, before it sends the body anyway; 0: 1 s.
	ContinueTimeout time.Duration
	// Scheme is that of requests whose URL has none; "": http.
	Scheme string
	// Observer is told of connections; nil: nobody is.
	Observer ClientObserver
}

// ClientObserver is told what happens to a Client's connections. The methods must not
// block and may be called from any goroutine, with no lock held.
type ClientObserver interface {
	// Connected says that c was made, which took as long.
	Connected(c *Conn, took time.Duration)
	// DialFailed says that no connection could be made.
	DialFailed(err *DialError, took time.Duration)
	// Disconnected says that c has ended, and why; nil: orderly.
	Disconnected(c *Conn, err error)
}

func (o ClientOptions) withDefaults() ClientOptions {
	if o.DialTimeout <= 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.SpreadStreams <= 0 {
		o.SpreadStreams = 100
	}
	if o.MaxConns <= 0 {
		o.MaxConns = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if o.SpareIdle <= 0 {
		o.SpareIdle = 30 * time.Second
	}
	if o.ContinueTimeout <= 0 {
		o.ContinueTimeout = time.Second
	}
	if o.Scheme == "" {
		o.Scheme = "http"
	}
	if o.Conn.Buffers == nil {
		o.Conn.Buffers = new(Buffers)
	}
	return o
}

// DialError says that no connection could be made; nothing of a request was sent.
type DialError struct {
	Err       error
	Handshake bool // the peer was reached, and TLS or the choice of HTTP/2 failed
}

// Error implements error.
func (e *DialError) Error() string { return "http2: connect: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }
