package meshhttp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

// netWire is the upstream that net/http makes: an http.Transport for one endpoint, so
// that the balancer decides which endpoint a connection leads to.
type netWire struct {
	addr   string
	scheme string
	rt     *http.Transport
	dial   func(ctx context.Context) (net.Conn, error)
	mortal bool  // connections have a limited life
	limit  int64 // requests in the pool or waiting for it; 0: no limit
	active atomic.Int64
}

var _ upstream = (*netWire)(nil)

// newNetWire makes the wire to ep.
func newNetWire(ep weft.Endpoint, set ClientSettings, stats *clientStats) *netWire {
	pool := set.Pool.withDefaults()
	w := &netWire{addr: ep.Addr, scheme: "http", limit: pool.limit(), mortal: pool.LifeTime > 0}
	if set.TLS != nil {
		w.scheme = "https"
	}
	d := newDialler(ep, set)
	d.shook = stats.Shook
	w.dial = func(ctx context.Context) (net.Conn, error) {
		begun := time.Now()
		conn, err := d.dial(ctx)
		if err != nil {
			stats.ConnectFailed(err, time.Since(begun))
			return nil, err
		}
		return stats.count(conn, time.Since(begun), pool.LifeTime), nil
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return w.dial(ctx) }
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
func (w *netWire) send(req *http.Request, s *sending) (*http.Response, error) {
	if s.net == nil {
		s.net = &netSending{}
	}
	if w.limit > 0 && s.net.free == nil {
		if w.active.Add(1) > w.limit {
			w.active.Add(-1)
			return nil, errTooManyWaiters
		}
		s.net.free = func() { w.active.Add(-1) }
	}
	req.URL.Scheme, req.URL.Host = w.scheme, w.addr
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), traceOf(s.net, s.traced, w.mortal)))
	if s.limited && req.Body != nil {
		return w.sendAside(req)
	}
	return w.rt.RoundTrip(req)
}

// sendAside sends req and returns when its context ends: http.Transport does not
// before a Read of the body that is under way returns, which is up to the caller
// who sends it.
func (w *netWire) sendAside(req *http.Request) (*http.Response, error) {
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
func traceOf(s *netSending, traced, mortal bool) *httptrace.ClientTrace {
	t := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if c, ok := i.Conn.(*countedConn); ok {
			c.taken()
			s.on(c, !i.Reused)
		}
	}}
	if mortal {
		t.PutIdleConn = func(error) { s.current().idle() }
	}
	if traced {
		t.WroteRequest = func(httptrace.WroteRequestInfo) { s.written() }
	}
	return t
}

// tunnel implements upstream.
func (w *netWire) tunnel(req *http.Request) (net.Conn, error) { return w.dial(req.Context()) }

// Close implements upstream.
func (w *netWire) Close() error {
	w.rt.CloseIdleConnections()
	return nil
}
