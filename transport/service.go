package transport

import (
	"sync"
	"sync/atomic"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
)

// service is what all Dests of one logical name share, whatever their dtabs: the
// settings, the retry budget and the metrics. A caller that varies the dtab gets
// no second budget.
type service struct {
	router *Router
	path   dtab.Path
	opts   ServiceOptions
	policy retry.Policy

	// stats is nil until the name has bound once. Names that lead nowhere, which
	// callers can invent at will, share the metrics of all unbound names.
	stats atomic.Pointer[serviceStats]

	// retrying counts the retries that requests under way have made so far.
	retrying atomic.Int64

	mu    sync.Mutex
	dests map[*Dest]struct{}
}

func (r *Router) newService(path dtab.Path, opts ServiceOptions) *service {
	s := &service{router: r, path: path, opts: opts, dests: map[*Dest]struct{}{}}
	s.policy = retry.Policy{
		Dst: path, Budget: newBudget(s.opts.Budget), Backoff: s.opts.Backoff,
		Observe: s.observe,
	}
	return s
}

// observe is told what the retry loop does.
func (s *service) observe(e retry.Event, n int) {
	switch {
	case e == retry.Retried:
		s.retrying.Add(1)
	case e == retry.RetriesPerRequest && n > 0:
		s.retrying.Add(-int64(n))
	}
	s.current().observe(e, n)
}

// joinService adds d to the service of its name.
func (r *Router) joinService(d *Dest) *service {
	opts := r.opts.Service(d.path) // without a lock: users write it
	s := r.services.take(d.path, func() *service { return r.newService(d.path, opts) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dests[d] = struct{}{}
	return s
}

// leave ends what joinService began.
func (s *service) leave(d *Dest) {
	s.mu.Lock()
	delete(s.dests, d)
	s.mu.Unlock()
	s.router.services.give(s.path, func(s *service) {
		if stats := s.stats.Load(); stats != nil {
			stats.scope.Prune()
		}
	})
}

// bound gives the name metrics of its own.
func (s *service) bound() {
	if s.stats.Load() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats.Load() == nil {
		s.stats.Store(newServiceStats(
			s.router.opts.Metrics.Scope("service", trimSlash(s.path)), func() float64 { return float64(s.pending()) }, s.policy.Budget))
	}
}

func (s *service) current() *serviceStats {
	if stats := s.stats.Load(); stats != nil {
		return stats
	}
	return s.router.unbound
}

// pending returns the number of requests that hold a Dest of the name.
func (s *service) pending() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.dests {
		n += d.slot.refs.Load()
	}
	return n
}
