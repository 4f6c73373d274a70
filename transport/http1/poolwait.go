package http1

import "context"

// grant is what a request that waited gets: a connection, an error, or neither,
// which is the right to make a connection that is counted already.
type grant struct {
	c   *poolConn
	err error
}

// waiter is a request that waits for a connection.
type waiter struct {
	got chan grant // has room for the one grant
}

// grant wakes the first waiter. The caller holds mu, and there is one.
func (p *Pool) grant(g grant) {
	w, _ := p.waiters.Remove(p.waiters.Front()).(*waiter)
	w.got <- g
}

// wait waits for a connection, or the right to make one. The caller holds mu, which
// it unlocks.
func (p *Pool) wait(ctx context.Context) (grant, error) {
	if limit := p.o.MaxWaiters; limit < 0 || limit > 0 && p.waiters.Len() >= limit {
		p.mu.Unlock()
		if p.o.Observer.Refused != nil {
			p.o.Observer.Refused()
		}
		return grant{}, ErrTooManyWaiters
	}
	w := &waiter{got: make(chan grant, 1)}
	place := p.waiters.PushBack(w)
	p.mu.Unlock()
	if p.o.Observer.Waited != nil {
		p.o.Observer.Waited()
	}
	select {
	case g := <-w.got:
		return g, g.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	select {
	case g := <-w.got: // at the same moment
		p.mu.Unlock()
		switch {
		case g.c != nil:
			p.put(g.c)
		case g.err == nil:
			p.gone()
		}
	default:
		p.waiters.Remove(place)
		p.mu.Unlock()
	}
	return grant{}, context.Cause(ctx)
}
