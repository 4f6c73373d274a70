package http1

import (
	"slices"
	"time"
)

// liveness is how often idle connections are looked at, so that those which the
// endpoint has closed do not pile up when nobody uses them.
const liveness = 10 * time.Second

// batch is how many are looked at, with a system call each, while mu is held.
const batch = 200

// sweep closes idle connections whose time has come. One timer serves the pool; it
// runs only while there are idle connections.
type sweep struct {
	timer *time.Timer
	at    time.Time     // when it fires; zero: it does not
	busy  chan struct{} // closed when the run under way is over; nil: none is
}

// stop ends it and returns what is closed when nothing of it runs. The caller holds
// the pool's mu.
func (s *sweep) stop() <-chan struct{} {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.at = time.Time{}
	if s.busy != nil {
		return s.busy
	}
	none := make(chan struct{})
	close(none)
	return none
}

// arm makes the timer fire in time for c, which has become idle. The caller holds
// mu.
func (p *Pool) arm(c *poolConn) {
	at := p.due(c)
	switch {
	case !p.sweep.at.IsZero() && !at.Before(p.sweep.at):
		return // it looks at c then, and knows when to look again
	case p.sweep.timer == nil:
		p.sweep.timer = time.AfterFunc(time.Until(at), p.run)
	default:
		p.sweep.timer.Reset(time.Until(at))
	}
	p.sweep.at = at
}

// due returns when c, which is idle, is to be looked at next.
func (p *Pool) due(c *poolConn) time.Time {
	at := c.seen().Add(liveness)
	if p.o.IdleTimeout > 0 && !c.spared {
		if t := c.idleSince.Add(p.o.IdleTimeout); t.Before(at) {
			at = t
		}
	}
	if !c.expires.IsZero() && c.expires.Before(at) {
		at = c.expires
	}
	return at
}

// run is what the timer does.
func (p *Pool) run() {
	p.mu.Lock()
	if p.closed || p.sweep.at.IsZero() || p.sweep.busy != nil {
		p.mu.Unlock()
		return
	}
	done := make(chan struct{})
	p.sweep.busy = done
	dead := p.overdue(time.Now())
	p.mu.Unlock()
	for _, c := range dead {
		c.close()
	}
	p.mu.Lock()
	p.sweep.busy = nil
	p.rearm()
	p.mu.Unlock()
	close(done)
}

// overdue removes from the idle connections those that must go. The caller holds mu.
func (p *Pool) overdue(now time.Time) (dead []*poolConn) {
	kept := p.idle[:0]
	spare, looks := p.o.MinIdle, batch
	// From the most recently used: MinIdle keeps those that are most likely alive.
	for _, c := range slices.Backward(p.idle) {
		late := p.o.IdleTimeout > 0 && !now.Before(c.idleSince.Add(p.o.IdleTimeout))
		if c.doomed = c.expired(now) || late && spare <= 0; c.doomed {
			continue
		}
		c.spared = late
		if looks > 0 && !now.Before(c.seen().Add(liveness)) {
			looks--
			c.looked = now
			if c.doomed = !c.alive(); c.doomed {
				continue
			}
		}
		spare--
	}
	for _, c := range p.idle {
		if c.doomed {
			dead = append(dead, c)
		} else {
			kept = append(kept, c)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	return dead
}

// rearm sets the timer for the first connection that is due. The caller holds mu.
func (p *Pool) rearm() {
	p.sweep.at = time.Time{}
	if p.closed {
		return
	}
	for _, c := range p.idle {
		p.arm(c)
	}
}
