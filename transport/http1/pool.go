package http1

import (
	"container/list"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Pool keeps connections to one endpoint and sends requests on them. It is safe for
// concurrent use. Make it with NewPool.
//
// The connection that was idle for the shortest time is used first, so that those
// which a lower load does not need grow old and are closed. An idle connection holds
// no goroutine and no buffer.
type Pool struct {
	o      PoolOptions
	lim    limits
	spares *Spares

	mu      sync.Mutex
	idle    []*poolConn // by the time they became idle; taken from the end
	open    int         // connections and attempts to make one, tunnels excepted
	waiters list.List   // of *waiter
	closed  bool
	sweep   sweep
}

// NewPool returns a pool without connections. Close it after use.
func NewPool(o PoolOptions) *Pool {
	o = o.withDefaults()
	p := &Pool{
		o: o, spares: o.Spares,
		lim: limits{line: o.MaxLineBytes, header: o.MaxHeaderBytes, fields: o.MaxHeaders}.withDefaults(),
	}
	if p.spares == nil {
		p.spares = new(Spares)
	}
	return p
}

// Tunnel makes a connection that is the caller's to use and to close. It is not
// counted against MaxConns. An error is a *ConnectError.
func (p *Pool) Tunnel(ctx context.Context) (net.Conn, error) {
	c, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.tunnel = true
	return newTunnelConn(c, nil), nil
}

// Close closes the idle connections; those in use close when they become idle, and
// requests that wait for one fail. It waits for what the pool itself has running, not
// for requests. It returns nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	for p.waiters.Len() > 0 {
		p.grant(grant{err: ErrPoolClosed})
	}
	done := p.sweep.stop()
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
	<-done
	return nil
}

// CloseIdle closes the idle connections. The pool can still be used.
func (p *Pool) CloseIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// Stats returns how many connections there are, how many of them are idle, and how
// many requests wait for one.
func (p *Pool) Stats() (open, idle, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, len(p.idle), p.waiters.Len()
}

// take returns a connection for one request: an idle one, or a fresh one.
func (p *Pool) take(ctx context.Context) (c *poolConn, fresh bool, err error) {
	p.mu.Lock()
	switch n := len(p.idle); {
	case p.closed:
		p.mu.Unlock()
		return nil, false, ErrPoolClosed
	case n > 0:
		c = p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if p.o.Observer.Acquired != nil {
			p.o.Observer.Acquired(0)
		}
		return c, false, nil
	}
	begun := time.Now()
	c, fresh, err = p.takeAnew(ctx) // unlocks
	if err == nil && p.o.Observer.Acquired != nil {
		p.o.Observer.Acquired(time.Since(begun))
	}
	return c, fresh, err
}

// takeAnew is take where there is no idle connection. The caller holds mu, which it unlocks.
func (p *Pool) takeAnew(ctx context.Context) (c *poolConn, fresh bool, err error) {
	if p.o.MaxConns <= 0 || p.open < p.o.MaxConns {
		p.open++
		p.mu.Unlock()
		c, err = p.connect(ctx)
		return c, true, err
	}
	g, err := p.wait(ctx) // unlocks
	switch {
	case err != nil:
		return nil, false, err
	case g.c != nil:
		return g.c, false, nil
	default:
		c, err = p.connect(ctx)
		return c, true, err
	}
}

// connect makes a connection in a place that the caller has counted in open.
func (p *Pool) connect(ctx context.Context) (*poolConn, error) {
	c, err := p.dial(ctx)
	if err != nil {
		p.gone()
		return nil, err
	}
	return c, nil
}

// buffer returns a buffer to copy a body with: what to put back, and its bytes.
func (p *Pool) buffer() (held *[uploadBuffer]byte, buf []byte) {
	held, _ = p.spares.buffers.Get().(*[uploadBuffer]byte)
	if held == nil {
		held = new([uploadBuffer]byte)
	}
	return held, held[:]
}

// replace closes c, which was taken, and makes a fresh connection in its place.
func (p *Pool) replace(ctx context.Context, c *poolConn) (*poolConn, error) {
	c.tunnel = true // its place is passed on
	c.close()
	return p.connect(ctx)
}

func (p *Pool) dial(ctx context.Context) (*poolConn, error) {
	begun := time.Now()
	nc, err := p.o.Dial(ctx)
	if err != nil {
		if p.o.Observer.ConnectFailed != nil {
			p.o.Observer.ConnectFailed(err, time.Since(begun))
		}
		_, handshake := errors.AsType[*HandshakeError](err)
		return nil, &ConnectError{Err: err, Handshake: handshake}
	}
	c := newPoolConn(p, nc)
	if p.o.Observer.Connected != nil {
		p.o.Observer.Connected(nc, c.born.Sub(begun))
	}
	if life := p.o.LifeTime; life > 0 {
		c.expires = c.born.Add(life + time.Duration((rand.Float64()*2-1)*float64(life)/10))
	}
	return c, nil
}

// put takes back a connection that the next request can use.
func (p *Pool) put(c *poolConn) {
	now := time.Now()
	c.idleSince, c.spared = now, false
	p.mu.Lock()
	switch {
	case p.closed, c.expired(now), p.o.MaxIdle < 0 && p.waiters.Len() == 0, p.o.MaxIdle > 0 && len(p.idle) >= p.o.MaxIdle:
		p.mu.Unlock()
		c.close()
		return
	case p.waiters.Len() > 0:
		p.grant(grant{c: c})
	default:
		p.idle = append(p.idle, c)
		p.arm(c)
	}
	p.mu.Unlock()
}

// gone counts a connection that was closed, or that was not made. The place goes to
// the request that has waited longest.
func (p *Pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiters.Len() > 0 && !p.closed {
		p.grant(grant{})
		return
	}
	p.open--
}
