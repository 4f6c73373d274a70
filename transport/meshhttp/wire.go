package meshhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// PoolOptions are the keys of Linkerd's hostConnectionPool, clientSession and
// socketOptions, as far as they concern one endpoint.
type PoolOptions struct {
	// MaxSize bounds the connections to an endpoint; zero is no bound.
	MaxSize int
	// MaxWaiters bounds the requests that wait for one of MaxSize connections; zero
	// is no bound, a negative number none at all.
	MaxWaiters int
	// IdleTimeout closes connections that were not used for this long; zero keeps
	// them.
	IdleTimeout time.Duration
	// LifeTime closes connections that have lived for this long, as soon as they are
	// idle; zero lets them live.
	LifeTime time.Duration
	// ConnectTimeout limits making a TCP connection; zero means 1 s, as in Finagle.
	ConnectTimeout time.Duration
	// MaxHeaderBytes limits the head of a response; zero means 1 MiB.
	MaxHeaderBytes int64
}

// errTooManyWaiters says that PoolOptions.MaxWaiters was exceeded.
var errTooManyWaiters = errors.New("meshhttp: too many requests wait for a connection to the endpoint")

// dialError marks an error as one of making a connection, before anything of a
// request was sent.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// wire is what is needed to talk to one endpoint: a connection pool of its own, so
// that the balancer decides which endpoint a connection leads to.
type wire struct {
	addr   string
	secure bool
	rt     *http.Transport
	dial   func(ctx context.Context) (net.Conn, error)
	limit  int64 // requests in the pool or waiting for it; 0: no limit
	active atomic.Int64
}

// newWire makes the wire to ep. tlsConfig, if set, is called for every new
// connection, so that replaced certificates take effect without a restart.
func newWire(ep weft.Endpoint, pool PoolOptions, tlsConfig func() (*tls.Config, error), metrics *telemetry.Scope) *wire {
	timeout := pool.ConnectTimeout
	if timeout == 0 {
		timeout = time.Second
	}
	dialer := &net.Dialer{Timeout: timeout}
	w := &wire{addr: ep.Addr, secure: tlsConfig != nil}
	stats := newConnStats(metrics)
	if pool.MaxSize > 0 && pool.MaxWaiters != 0 {
		w.limit = int64(pool.MaxSize + max(pool.MaxWaiters, 0))
	}
	w.dial = func(ctx context.Context) (net.Conn, error) {
		begun := time.Now()
		conn, err := dialer.DialContext(ctx, "tcp", ep.Addr)
		if err != nil {
			stats.failed(time.Since(begun))
			return nil, &dialError{err}
		}
		if tlsConfig != nil {
			if conn, err = handshake(ctx, conn, tlsConfig); err != nil {
				stats.failed(time.Since(begun))
				return nil, err
			}
		}
		stats.connected(time.Since(begun))
		return stats.count(conn, pool.LifeTime), nil
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return w.dial(ctx) }
	w.rt = &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dial,
		MaxConnsPerHost:        pool.MaxSize,
		MaxIdleConnsPerHost:    maxIdle(pool.MaxSize),
		IdleConnTimeout:        pool.IdleTimeout,
		MaxResponseHeaderBytes: pool.MaxHeaderBytes,
		DisableCompression:     true, // the mesh passes bodies on as they are
		ExpectContinueTimeout:  time.Second,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	return w
}

func maxIdle(maxSize int) int {
	if maxSize > 0 {
		return maxSize
	}
	return 1 << 20 // bounded by concurrency
}

func handshake(ctx context.Context, conn net.Conn, tlsConfig func() (*tls.Config, error)) (net.Conn, error) {
	cfg, err := tlsConfig()
	if err != nil {
		_ = conn.Close()
		return nil, &dialError{fmt.Errorf("meshhttp: tls to %s: %w", conn.RemoteAddr(), err)}
	}
	tc := tls.Client(conn, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &dialError{err}
	}
	return tc, nil
}

// roundTrip sends req to the endpoint. req.URL is rewritten in place.
func (w *wire) roundTrip(req *http.Request) (*http.Response, error) {
	if w.limit > 0 {
		if w.active.Add(1) > w.limit {
			w.active.Add(-1)
			return nil, &dialError{errTooManyWaiters}
		}
		defer w.active.Add(-1)
	}
	req.URL.Scheme, req.URL.Host = "http", w.addr
	if w.secure {
		req.URL.Scheme = "https"
	}
	return w.rt.RoundTrip(req)
}

// Close closes the idle connections. Those in use close when they become idle.
func (w *wire) Close() error {
	w.rt.CloseIdleConnections()
	return nil
}

var _ io.Closer = (*wire)(nil)
