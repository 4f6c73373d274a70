package meshhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// errTooManyWaiters says that PoolOptions.MaxWaiters was exceeded.
var errTooManyWaiters = errors.New("meshhttp: too many requests wait for a connection to the endpoint")

// wire is the upstream that net/http makes: an http.Transport for one endpoint, so
// that the balancer decides which endpoint a connection leads to.
type wire struct {
	addr   string
	scheme string
	rt     *http.Transport
	dial   func(ctx context.Context) (net.Conn, error)
	mortal bool  // connections have a limited life
	limit  int64 // requests in the pool or waiting for it; 0: no limit
	active atomic.Int64
}

var _ upstream = (*wire)(nil)

// newWire makes the wire to ep.
func newWire(ep weft.Endpoint, set ClientSettings, metrics *telemetry.Scope) *wire {
	pool := set.Pool.withDefaults()
	w := &wire{addr: ep.Addr, scheme: "http", limit: pool.limit(), mortal: pool.LifeTime > 0}
	if set.TLS != nil {
		w.scheme = "https"
	}
	d := &dialler{addr: ep.Addr, pool: pool, tls: set.TLS, connect: set.Dial, stats: newConnStats(metrics)}
	if d.connect == nil {
		tcp := &net.Dialer{}
		d.connect = func(ctx context.Context, addr string) (net.Conn, error) { return tcp.DialContext(ctx, "tcp", addr) }
	}
	w.dial = d.dial
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx) }
	w.rt = &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dial,
		MaxConnsPerHost:        pool.MaxSize,
		MaxIdleConnsPerHost:    pool.maxIdle(),
		IdleConnTimeout:        pool.IdleTimeout,
		MaxResponseHeaderBytes: pool.MaxHeaderBytes,
		DisableCompression:     true, // the mesh passes bodies on as they are
		ExpectContinueTimeout:  time.Second,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1 only
	}
	return w
}

// send implements upstream.
func (w *wire) send(req *http.Request, s *sending) (*http.Response, error) {
	if w.limit > 0 && s.free == nil {
		if w.active.Add(1) > w.limit {
			w.active.Add(-1)
			return nil, errTooManyWaiters
		}
		s.free = func() { w.active.Add(-1) }
	}
	req.URL.Scheme, req.URL.Host = w.scheme, w.addr
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), traceOf(s, w.mortal)))
	if s.limited && req.Body != nil {
		return w.sendAside(req)
	}
	return w.rt.RoundTrip(req)
}

// sendAside sends req and returns when its context ends: http.Transport does not
// before a Read of the body that is under way returns, which is up to the caller
// who sends it.
func (w *wire) sendAside(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	done := make(chan result)
	ctx := req.Context()
	go func() {
		resp, err := w.rt.RoundTrip(req)
		select {
		case done <- result{resp, err}:
		case <-ctx.Done():
			if resp != nil {
				_ = resp.Body.Close() // too late
			}
		}
	}()
	select {
	case r := <-done:
		return r.resp, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// traceOf learns from net/http what it does not return; mortal says that it matters
// when a connection is idle.
func traceOf(s *sending, mortal bool) *httptrace.ClientTrace {
	t := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if c, ok := i.Conn.(*countedConn); ok {
			c.taken()
			s.on(c, !i.Reused)
		}
	}}
	if mortal {
		t.PutIdleConn = func(error) { s.current().idle() }
	}
	if s.traced {
		t.WroteRequest = func(httptrace.WroteRequestInfo) { s.written() }
	}
	return t
}

// tunnel implements upstream.
func (w *wire) tunnel(req *http.Request) (net.Conn, error) { return w.dial(req.Context()) }

// Close implements upstream.
func (w *wire) Close() error {
	w.rt.CloseIdleConnections()
	return nil
}

// dialler makes connections to one endpoint.
type dialler struct {
	addr    string
	pool    PoolOptions
	tls     func() (*tls.Config, error)
	connect func(ctx context.Context, addr string) (net.Conn, error)
	stats   *connStats
}

func (d *dialler) dial(ctx context.Context) (net.Conn, error) {
	// The settings first: what they lack no connection can give.
	var cfg *tls.Config
	if d.tls != nil {
		var err error
		if cfg, err = d.tls(); err != nil {
			return nil, &dialError{err: fmt.Errorf("meshhttp: tls to %s: %w", d.addr, err), setup: true}
		}
	}
	begun := time.Now()
	conn, err := d.tcp(ctx)
	if err != nil {
		d.stats.failed(time.Since(begun))
		return nil, &dialError{err: err}
	}
	if cfg != nil {
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			d.stats.failed(time.Since(begun))
			return nil, &dialError{err: err, handshake: true}
		}
		conn = secure
	}
	d.stats.connected(time.Since(begun))
	return d.stats.count(conn, d.pool.LifeTime), nil
}

// tcp connects within the connect timeout, which does not cover the handshake.
func (d *dialler) tcp(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.pool.ConnectTimeout)
	defer cancel()
	return d.connect(ctx, d.addr)
}
