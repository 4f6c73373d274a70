package http1

import (
	"context"
	"net"
	"time"
)

// PoolOptions say how a Pool connects and what it allows. Dial is required; the
// zero value of everything else is the documented default.
type PoolOptions struct {
	// Dial connects to the endpoint. TLS, and the time that connecting may take, are
	// its business. A HandshakeError of it is told apart from other failures.
	Dial func(ctx context.Context) (net.Conn, error)

	// MaxConns bounds the connections; zero is no bound. Tunnels do not count.
	MaxConns int
	// MaxWaiters bounds the requests that wait, first come first served, for one of
	// MaxConns connections; zero is no bound, a negative number allows none.
	MaxWaiters int
	// MaxIdle bounds the connections kept idle; zero is no bound, a negative number
	// keeps none.
	MaxIdle int
	// MinIdle is how many idle connections IdleTimeout leaves alone. It makes none.
	MinIdle int
	// IdleTimeout closes connections that were not used for this long; zero keeps
	// them.
	IdleTimeout time.Duration
	// LifeTime closes connections that have lived for this long, more or less a tenth
	// so that those made together do not end together, as soon as they are idle. Zero
	// lets them live.
	LifeTime time.Duration

	// ReadTimeout and WriteTimeout bound the wait for each read and write of a
	// connection; zero waits.
	ReadTimeout, WriteTimeout time.Duration
	// ExpectTimeout is how long a request with "Expect: 100-continue" waits for the
	// answer before its body is sent all the same; zero means 1 s.
	ExpectTimeout time.Duration

	// MaxLineBytes, MaxHeaderBytes and MaxHeaders limit the head of a response: its
	// status line, all of its field lines in bytes, and their number. Zero means
	// 8 KiB, 1 MiB and 1,000.
	MaxLineBytes, MaxHeaderBytes, MaxHeaders int

	// Recycle lets responses be made of what earlier ones left: *http.Response, its
	// Header and its Body belong to the caller until he closes the Body, exactly once,
	// and not a moment longer. The strings in Header may be kept.
	Recycle bool

	// Spares is memory that the pool shares with others; nil is memory of its own.
	Spares *Spares

	// Observer hears of connections and bytes.
	Observer Observer
}

func (o PoolOptions) withDefaults() PoolOptions {
	if o.ExpectTimeout <= 0 {
		o.ExpectTimeout = time.Second
	}
	if o.MaxLineBytes <= 0 {
		o.MaxLineBytes = 8 << 10
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 1 << 20
	}
	if o.MaxHeaders <= 0 {
		o.MaxHeaders = 1000
	}
	return o
}

// Observer is told what happens to the connections of a Pool, for metrics. Each
// function may be nil, must be safe for concurrent use and must not block.
type Observer struct {
	// Connected and ConnectFailed get the time it took, handshakes included, and the
	// connection or what Dial returned.
	Connected     func(nc net.Conn, latency time.Duration)
	ConnectFailed func(err error, latency time.Duration)
	// Acquired gets the time that a request took to come by a connection, 0 for one that
	// was idle; not that of requests that came by none.
	Acquired func(latency time.Duration)
	// Waited hears of requests that have to wait for one of MaxConns connections, and of
	// those that may not, since too many do.
	Waited, Refused func()
	// Closed gets what a connection came to.
	Closed func(ConnReport)
	// Received and Sent get numbers of bytes, handshakes excluded.
	Received, Sent func(n int64)
}
