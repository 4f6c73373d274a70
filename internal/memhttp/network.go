package memhttp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Network is a set of listeners by address. The zero Network is ready for use, and
// it is safe for concurrent use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*Listener
	last      uint16 // port given to a dialler
	dials     map[string]int
}

// Listen returns a listener on addr, an IP address with a port.
func (n *Network) Listen(addr string) (*Listener, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("memhttp: listen: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[addr] != nil {
		return nil, fmt.Errorf("memhttp: listen %s: %w", addr, syscall.EADDRINUSE)
	}
	if n.listeners == nil {
		n.listeners = map[string]*Listener{}
	}
	l := &Listener{
		network: n, addr: net.TCPAddrFromAddrPort(ap),
		queue: make(chan *Conn), closed: make(chan struct{}), conns: map[*Conn]struct{}{},
	}
	n.listeners[addr] = l
	return l, nil
}

// Dial connects to addr. Where nobody listens it fails as TCP does.
func (n *Network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	n.mu.Lock()
	if n.dials == nil {
		n.dials = map[string]int{}
	}
	n.dials[addr]++
	l := n.listeners[addr]
	n.last++
	from := &net.TCPAddr{IP: net.IPv4(10, 255, 0, 1), Port: 1024 + int(n.last)}
	n.mu.Unlock()
	if l == nil {
		return nil, refused
	}
	ours, theirs := Pipe(from, l.addr)
	select {
	case l.queue <- theirs:
		l.add(theirs)
		return ours, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
	}
}

// DialContext is Dial with the signature that http.Transport wants.
func (n *Network) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	return n.Dial(ctx, addr)
}

// Dials returns how many connections to addr were tried.
func (n *Network) Dials(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[addr]
}

// Listener accepts the connections to one address.
type Listener struct {
	network *Network
	addr    *net.TCPAddr
	queue   chan *Conn
	once    sync.Once
	closed  chan struct{}

	mu    sync.Mutex
	conns map[*Conn]struct{}
}

func (l *Listener) add(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.addr }

// Close implements net.Listener. Connections that were accepted live on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		if l.network.listeners[l.addr.String()] == l {
			delete(l.network.listeners, l.addr.String())
		}
	})
	return nil
}

// Kill closes the listener and resets every connection that it ever accepted.
func (l *Listener) Kill() {
	_ = l.Close() // never fails
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Reset()
	}
}
