package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// TransportOptions configure a Transport; the zero value of each field is the
// documented default.
type TransportOptions struct {
	// Dial makes a TCP connection; nil: as net.Dialer does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS is for https; ServerName is the host's if it is empty. nil: the zero Config.
	TLS *tls.Config
	// Client is for each host's Client; its Dial and Scheme are the Transport's.
	// Conn.IdleTimeout is 90 s if it is zero.
	Client ClientOptions
}

// Transport is an http.RoundTripper that speaks HTTP/2 to every host: over TLS to https
// URLs, with prior knowledge in the clear to http ones. It is safe for concurrent use.
type Transport struct {
	o TransportOptions

	mu     sync.Mutex
	hosts  map[string]*host // by scheme and authority
	closed bool
}

// host is what a Transport has for one host.
type host struct {
	client *Client
	users  int // RoundTrips that have not returned
}

// NewTransport returns a Transport.
func NewTransport(o TransportOptions) *Transport {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Client.Conn.IdleTimeout == 0 {
		o.Client.Conn.IdleTimeout = 90 * time.Second
	}
	if o.Client.Conn.Buffers == nil {
		o.Client.Conn.Buffers = new(Buffers)
	}
	return &Transport{o: o, hosts: map[string]*host{}}
}

// RoundTrip implements http.RoundTripper; see Client.RoundTrip. If an https host does
// not choose HTTP/2 the error is a *DialError that says so.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	key, h, err := t.acquire(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	defer t.release(key, h)
	return h.client.RoundTrip(req)
}

// acquire returns the host of req.
func (t *Transport) acquire(req *http.Request) (string, *host, error) {
	if req.URL == nil || req.URL.Host == "" {
		return "", nil, errors.New("http2: request without a host in its URL")
	}
	scheme := req.URL.Scheme
	if scheme != "http" && scheme != "https" {
		return "", nil, fmt.Errorf("http2: scheme of the URL is %q, not http or https", scheme)
	}
	key := scheme + "://" + req.URL.Host
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return "", nil, ErrClosed
	}
	h := t.hosts[key]
	if h == nil {
		addr, name, err := address(scheme, req.URL.Host)
		if err != nil {
			return "", nil, err
		}
		h = t.newHost(key, scheme, addr, name)
		t.hosts[key] = h
	}
	h.users++
	return key, h, nil
}

// newHost makes the host for an address.
func (t *Transport) newHost(key, scheme, addr, name string) *host {
	h := &host{}
	o := t.o.Client
	o.Scheme = scheme
	o.Observer = &hostObserver{ClientObserver: t.o.Client.Observer, ended: func() { t.forget(key, h) }}
	o.Dial = func(ctx context.Context) (net.Conn, error) {
		nc, err := t.o.Dial(ctx, "tcp", addr)
		if err != nil || scheme == "http" {
			return nc, err
		}
		config := t.o.TLS
		if config == nil {
			config = &tls.Config{}
		}
		if config.ServerName == "" {
			config = config.Clone()
			config.ServerName = name
		}
		return HandshakeTLS(ctx, nc, config)
	}
	h.client = NewClient(o)
	return h
}

// release ends the use of h.
func (t *Transport) release(key string, h *host) {
	t.mu.Lock()
	h.users--
	t.mu.Unlock()
	t.forget(key, h)
}

// forget drops h when nobody uses it and it has no connection.
func (t *Transport) forget(key string, h *host) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.users == 0 && t.hosts[key] == h && h.client.Conns() == 0 {
		delete(t.hosts, key)
		h.client.Drain()
	}
}

// Close lets the requests in flight end, closes the connections and waits for them. New
// requests fail with ErrClosed.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	hosts := t.all()
	t.mu.Unlock()
	for _, h := range hosts {
		h.client.Drain()
	}
	var err error
	for _, h := range hosts {
		err = errors.Join(err, h.client.Close())
	}
	return err
}

// CloseIdleConnections closes the connections without streams, as http.Client's method
// of that name wants it.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	hosts := t.all()
	t.mu.Unlock()
	for _, h := range hosts {
		h.client.CloseIdle()
	}
}

func (t *Transport) all() []*host {
	hosts := make([]*host, 0, len(t.hosts))
	for _, h := range t.hosts {
		hosts = append(hosts, h)
	}
	return hosts
}

// address returns what to dial for a URL's host, and the host's name.
func address(scheme, hostport string) (addr, name string, err error) {
	ascii, err := httpguts.PunycodeHostPort(hostport)
	if err != nil {
		return "", "", fmt.Errorf("http2: host %q: %w", hostport, err)
	}
	name, port, err := net.SplitHostPort(ascii)
	if err != nil || port == "" {
		port = "80"
		if scheme == "https" {
			port = "443"
		}
		name = strings.TrimSuffix(ascii, ":")
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return net.JoinHostPort(name, port), name, nil
}

// hostObserver tells a Transport of the ends of connections, and passes everything on.
type hostObserver struct {
	ClientObserver
	ended func()
}

// Connected implements ClientObserver.
func (o *hostObserver) Connected(c *Conn, took time.Duration) {
	if o.ClientObserver != nil {
		o.ClientObserver.Connected(c, took)
	}
}

// DialFailed implements ClientObserver.
func (o *hostObserver) DialFailed(err *DialError, took time.Duration) {
	if o.ClientObserver != nil {
		o.ClientObserver.DialFailed(err, took)
	}
}

// Disconnected implements ClientObserver.
func (o *hostObserver) Disconnected(c *Conn, err error) {
	if o.ClientObserver != nil {
		o.ClientObserver.Disconnected(c, err)
	}
	o.ended()
}
