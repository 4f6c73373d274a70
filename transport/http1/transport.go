package http1

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Transport is an http.RoundTripper for http and https URLs, with a Pool for each
// scheme, host and port. The zero value is ready for use; its fields must not be
// changed after that. It is safe for concurrent use.
//
// Unlike http.Transport it speaks HTTP/1 only, knows no proxies, adds neither
// User-Agent nor Accept-Encoding, and does not decompress.
type Transport struct {
	// Dial connects to "host:port"; nil is a net.Dialer's with a timeout of 30 s.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLSClientConfig is for https; nil is the zero configuration. ServerName defaults
	// to the URL's host, and the protocol asked for is always http/1.1.
	TLSClientConfig *tls.Config
	// TLSHandshakeTimeout bounds the handshake; zero means 10 s.
	TLSHandshakeTimeout time.Duration
	// Pool is for the pools, which share Spares; Dial is not used, IdleTimeout defaults to 90 s, and a
	// negative one keeps connections.
	Pool PoolOptions
	// MaxPools bounds the pools; the one that was not used for the longest time is
	// closed first. Zero means 1,000.
	MaxPools int

	spares Spares // of the pools

	mu    sync.Mutex
	pools map[destination]*list.Element // of used
	used  list.List                     // of *pooled, the most recently used first
}

// destination is what a pool leads to.
type destination struct{ scheme, host string }

// pooled is a pool of a Transport.
type pooled struct {
	to   destination
	pool *Pool
}

// RoundTrip implements http.RoundTripper; see Pool.Send.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	refuse := func(what string) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read of it
		}
		return nil, &RequestError{What: what}
	}
	switch {
	case req.URL == nil:
		return refuse("no URL")
	case req.URL.Host == "":
		return refuse("no host in the URL")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return refuse("the URL's scheme is neither http nor https")
	}
	to := destination{req.URL.Scheme, req.URL.Host}
	for {
		p := t.pool(to)
		resp, err := p.send(req, nil)
		if err != ErrPoolClosed { //nolint:errorlint // send returns it as it is
			return resp, err
		}
	}
}

// pool returns the pool that leads to to.
func (t *Transport) pool(to destination) *Pool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.pools[to]; e != nil {
		t.used.MoveToFront(e)
		return poolOf(e).pool
	}
	if t.pools == nil {
		t.pools = map[destination]*list.Element{}
	}
	limit := t.MaxPools
	if limit <= 0 {
		limit = 1000
	}
	for e := t.used.Back(); e != nil; {
		p, previous := poolOf(e), e.Prev()
		// Pools without connections are not worth keeping; they are made in a moment.
		if open, _, _ := p.pool.Stats(); open > 0 && t.used.Len() < limit {
			break
		}
		t.used.Remove(e)
		delete(t.pools, p.to)
		_ = p.pool.Close() // never fails
		e = previous
	}
	o := t.Pool
	o.Dial = t.dialler(to)
	if o.Spares == nil {
		o.Spares = &t.spares
	}
	switch {
	case o.IdleTimeout == 0:
		o.IdleTimeout = 90 * time.Second
	case o.IdleTimeout < 0:
		o.IdleTimeout = 0
	}
	p := NewPool(o)
	t.pools[to] = t.used.PushFront(&pooled{to: to, pool: p})
	return p
}

func poolOf(e *list.Element) *pooled {
	p, _ := e.Value.(*pooled)
	return p
}

// CloseIdleConnections closes the connections that are idle, and lets go of pools.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.used.Front(); e != nil; e = e.Next() {
		poolOf(e).pool.CloseIdle()
	}
}

// Close closes the pools; connections in use close when they become idle. The
// Transport can still be used, and makes new pools then. It returns nil.
func (t *Transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.used.Front(); e != nil; e = e.Next() {
		_ = poolOf(e).pool.Close() // never fails
	}
	t.used.Init()
	clear(t.pools)
	return nil
}

// dialler returns what connects to to.
func (t *Transport) dialler(to destination) func(context.Context) (net.Conn, error) {
	addr := withPort(to)
	dial := t.Dial
	if dial == nil {
		d := &net.Dialer{Timeout: 30 * time.Second}
		dial = d.DialContext
	}
	if to.scheme == "http" {
		return func(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", addr) }
	}
	cfg := t.TLSClientConfig.Clone()
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr) // withPort has made it so
	}
	cfg.NextProtos = []string{"http/1.1"}
	limit := t.TLSHandshakeTimeout
	if limit <= 0 {
		limit = 10 * time.Second
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			return nil, &HandshakeError{err}
		}
		return secure, nil
	}
}

// withPort returns the address of to.
func withPort(to destination) string {
	if _, port, err := net.SplitHostPort(to.host); err == nil && port != "" {
		return to.host
	}
	port := "80"
	if to.scheme == "https" {
		port = "443"
	}
	host := to.host
	if n := len(host); n > 0 && host[n-1] == ':' {
		host = host[:n-1]
	}
	if n := len(host); n > 1 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	return net.JoinHostPort(host, port)
}
