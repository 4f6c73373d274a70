package balancer

import (
	"context"
	"time"

	"github.com/weft-mesh/weft"
)

// Pick is an endpoint in use by one request. It is a value; of its copies exactly
// one must be told Done, exactly once. The zero Pick holds no endpoint.
type Pick struct {
	// Endpoint is the choice.
	Endpoint *Endpoint

	start int64
}

// Done ends the request: the endpoint's outstanding work shrinks by one and the
// policy learns how it went. Without r.Latency it is taken to be the time since
// the pick. Done on the zero Pick does nothing.
func (p Pick) Done(r weft.Result) {
	e := p.Endpoint
	if e == nil {
		return
	}
	o := e.observer.Load()
	e.release()
	if o == nil {
		return
	}
	now := e.owner.now()
	if r.Latency <= 0 {
		r.Latency = time.Duration(max(now-p.start, 0))
	}
	(*o).Observe(e, r, now)
}

// End is Done for owners that want to know the latency too: it returns r with
// Latency set, at the price of one look at the clock for both.
func (p Pick) End(r weft.Result) weft.Result {
	e := p.Endpoint
	if e == nil {
		return r
	}
	o := e.observer.Load()
	e.release()
	if o == nil && r.Latency > 0 {
		return r
	}
	now := e.owner.now()
	if r.Latency <= 0 {
		r.Latency = time.Duration(max(now-p.start, 0))
	}
	if o != nil {
		(*o).Observe(e, r, now)
	}
	return r
}

// Elapsed returns the time since the pick, 0 for the zero Pick.
func (p Pick) Elapsed() time.Duration {
	if p.Endpoint == nil {
		return 0
	}
	return time.Duration(max(p.Endpoint.owner.now()-p.start, 0))
}

// Pick chooses an endpoint and counts a request as outstanding on it, until
// Pick.Done. It returns ErrEmpty, ErrUnhealthy (see Options.OnAllUnhealthy) or
// ErrClosed. It blocks only with WaitHealthy, and then returns the context's
// error if that ends first.
func (b *Balancer) Pick(ctx context.Context, c weft.Call) (Pick, error) {
	now := b.now()
	s := b.snap.Load()
	for {
		if len(s.classes) == 0 {
			if s.closed {
				return Pick{}, ErrClosed
			}
			return Pick{}, ErrEmpty
		}
		e := b.choose(s, c, now)
		if e == nil {
			return b.unhealthy(ctx, c)
		}
		if e.acquire(now) {
			return Pick{Endpoint: e, start: now}, nil
		}
		// The endpoint left between reading the snapshot and here.
		next := b.snap.Load()
		if next == s {
			return Pick{}, ErrEmpty // a picker that holds on to what has left
		}
		s = next
	}
}

// choose returns the endpoint to use, nil if there is none to be used.
func (b *Balancer) choose(s *snapshot, c weft.Call, now int64) *Endpoint {
	var avoided *Endpoint
	for range b.opts.MaxEffort {
		cl, ok := s.draw(b.opts.Rand)
		if !ok {
			b.counters.busyClasses.Add(1)
		}
		e := cl.picker.Pick(c, now)
		if e != nil && e.Status() == weft.Open {
			if c.Avoid == "" || e.addr != c.Avoid || s.single != nil {
				return e
			}
			avoided = e
		}
		if cl.thorough {
			if avoided == nil && b.opts.OnAllUnhealthy == PickAnyway {
				b.counters.panicked.Add(1)
				return e
			}
			break
		}
	}
	if avoided != nil {
		if e := s.search(c.Avoid, b.opts.Rand); e != nil {
			return e
		}
		return avoided
	}
	b.counters.panicked.Add(1)
	if b.opts.OnAllUnhealthy != PickAnyway {
		return s.search("", b.opts.Rand)
	}
	cl, _ := s.draw(b.opts.Rand)
	if e := cl.picker.Pick(c, now); e != nil {
		return e
	}
	// A picker that does not return unhealthy endpoints.
	if e := s.search("", b.opts.Rand); e != nil {
		return e
	}
	return cl.eps[b.opts.Rand.IntN(len(cl.eps))]
}

// unhealthy fails, or waits for an endpoint to become healthy.
func (b *Balancer) unhealthy(ctx context.Context, c weft.Call) (Pick, error) {
	if b.opts.OnAllUnhealthy != WaitHealthy {
		return Pick{}, ErrUnhealthy
	}
	timer := time.NewTimer(b.opts.MaxWait)
	defer timer.Stop()
	for {
		// The channel is taken before looking, so that no change is missed.
		_, stale := b.changed.Load()
		s := b.snap.Load()
		switch {
		case s.closed:
			return Pick{}, ErrClosed
		case len(s.classes) == 0:
			return Pick{}, ErrEmpty
		}
		now := b.now()
		if s.search("", b.opts.Rand) != nil {
			if e := b.choose(s, c, now); e != nil && e.acquire(now) {
				return Pick{Endpoint: e, start: now}, nil
			}
			continue
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return Pick{}, context.Cause(ctx)
		case <-timer.C:
			return Pick{}, ErrUnhealthy
		}
	}
}
