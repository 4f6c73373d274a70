package http1

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ServerOptions say how a Server serves. Handler is required; the zero value of
// everything else is the documented default.
type ServerOptions struct {
	Handler http.Handler

	// MaxLineBytes, MaxHeaderBytes and MaxHeaders limit the head of a request: its
	// request line, all of its field lines in bytes, and their number. Zero means 4 KiB,
	// 8 KiB and 200. More is answered with 414 or 431.
	MaxLineBytes, MaxHeaderBytes, MaxHeaders int
	// MaxBodyBytes limits the body of a request; zero does not. A Content-Length beyond it
	// is answered with 413 before the Handler hears of the request. A chunked body that
	// turns out longer fails with a *http.MaxBytesError: see Server.
	MaxBodyBytes int64

	// HeadTimeout limits the time from the first byte of a head to its last, and a TLS
	// handshake; zero means a minute.
	HeadTimeout time.Duration
	// ReadTimeout and WriteTimeout bound the wait for each read of a request's body and
	// each write of a response; zero waits. With either, bodies are not moved by the
	// kernel alone.
	ReadTimeout, WriteTimeout time.Duration
	// IdleTimeout closes connections that were idle for this long; zero keeps them.
	IdleTimeout time.Duration
	// LifeTime ends connections that have lived for this long, with the response under
	// way or at once if there is none; zero lets them live.
	LifeTime time.Duration
	// Hangup is how long a request is under way before somebody looks whether its caller
	// is still there; zero means 5 ms.
	Hangup time.Duration

	// Recycle is for a Handler that keeps nothing of a request after ServeHTTP returned:
	// not the *http.Request, its URL, Header map or context, nor the ResponseWriter or the
	// Header map that it did not bring itself. They are used again for other requests,
	// on any connection, and the context ends with the connection instead of the
	// request. Strings may be kept, and a Body may be closed late.
	Recycle bool
	// NoDate leaves the Date field to the Handler. A proxy passes on the origin's.
	NoDate bool

	// BaseContext returns the context that those of a connection's requests come from;
	// nil means context.Background().
	BaseContext func(ctx context.Context, c net.Conn) context.Context
	// Preface is given the connections that begin with the preface of HTTP/2 or agreed on
	// "h2" in their TLS handshake. The conn returns what was read of it once more; its
	// NetConn method has the one below. Nil answers the preface with 505.
	Preface func(c net.Conn) Session

	// Observer hears of connections and bytes.
	Observer ServerObserver
	// Logger gets what nobody else is told: panics of the Handler, failing accepts. Nil is
	// silent.
	Logger *slog.Logger
}

// Session is the use that another protocol makes of a connection of a Server.
type Session interface {
	// Serve uses the connection until it ends. The Server closes the connection then, and
	// closes it during Serve if it cannot wait any longer.
	Serve() error
	// Drain lets what is under way come to its end and then has Serve return. It must not
	// block, and may be called more than once, and before and after Serve.
	Drain()
}

// CloseReason is why a connection was closed.
type CloseReason uint8

// The reasons that are told apart.
const (
	ClosedOther  CloseReason = iota // by the caller, an error, Shutdown, Hijack, …
	ClosedIdle                      // by IdleTimeout
	ClosedByLife                    // by LifeTime
)

// ServerObserver is told what happens to the connections of a Server, for metrics. Each
// function may be nil, must be safe for concurrent use and must not block.
type ServerObserver struct {
	Opened func(c net.Conn)
	// Closed gets what the connection came to. A hijacked connection is closed, as far as
	// this goes, when the Handler takes it.
	Closed func(ConnReport)
	// Received and Sent get numbers of bytes; for TLS, of those inside.
	Received, Sent func(n int64)
}

const (
	defaultHeadTimeout = time.Minute
	defaultHangup      = 5 * time.Millisecond
)

func (o ServerOptions) withDefaults() ServerOptions {
	if o.HeadTimeout <= 0 {
		o.HeadTimeout = defaultHeadTimeout
	}
	if o.Hangup <= 0 {
		o.Hangup = defaultHangup
	}
	return o
}

func (o ServerOptions) limits() limits {
	return limits{line: o.MaxLineBytes, header: o.MaxHeaderBytes, fields: o.MaxHeaders, body: max(o.MaxBodyBytes, 0)}.withDefaults()
}
