package transport

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/signals"
	"github.com/weft-mesh/weft/retry"
)

// Router leads from logical names to endpoints and keeps what is worth keeping
// between calls: bindings and retry budgets per logical name, balancers, breakers
// and connections per bound name. It is safe for concurrent use.
type Router struct {
	opts    Options
	dests   *cache[destKey, *Dest]
	clients *cache[dtab.Path, *Client]

	services    registry[dtab.Path, *service]
	clientStats registry[dtab.Path, *clientStats]
	unbound     *serviceStats // names that never bound share their metrics

	// Bound trees and names are kept with the path that they are of, so these count what
	// came into use and what went out of it.
	trees, bounds CacheStats

	ctx    context.Context //nolint:containedctx // the life of everything the router started
	cancel context.CancelFunc
	closed sync.Once

	mu      sync.Mutex
	closing bool
	running sync.WaitGroup // goroutines; they start under mu, so that none comes after the wait
	waiting signals.Waiter // of clients, for their endpoints
}

// destKey identifies a Dest: two requests for one name under different dtabs of
// their own may be bound differently.
type destKey struct {
	path  dtab.Path
	local string
}

// NewRouter returns a router. Close ends it.
func NewRouter(opts Options) (*Router, error) {
	if opts.Interpreter == nil {
		return nil, errors.New("transport: Options.Interpreter is required")
	}
	opts = opts.withDefaults()
	r := &Router{
		opts:    opts,
		dests:   newCache[destKey, *Dest](opts.Cache.Paths),
		clients: newCache[dtab.Path, *Client](opts.Cache.Clients),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.unbound = newServiceStats(opts.Metrics.Scope("unbound"), func() float64 { return float64(r.unboundPending()) }, nil)
	r.exportCaches()
	r.spawn(r.sweep)
	return r, nil
}

// Dest returns the destination of a logical name under a per-request dtab, with a
// reference taken: the caller must call Done or Release when the request is over.
// It never blocks. After Close the Dest's routes are ErrClosed.
func (r *Router) Dest(path dtab.Path, local dtab.Dtab) *Dest {
	k := destKey{path: path}
	if len(local) > 0 {
		k.local = local.String()
	}
	d, kept := r.dests.get(k, func() *Dest { return &Dest{router: r, kept: true, path: path, local: local} })
	if !kept {
		d.kept = false
	}
	d.begin()
	return d
}

// Options returns the options in force, with their defaults filled in.
func (r *Router) Options() Options { return r.opts }

// Clients returns the clients that the router keeps now, in no order.
func (r *Router) Clients() []*Client {
	all := r.clients.values()
	for _, c := range all {
		c.begin() // somebody else may have made it just now
	}
	return all
}

// Close ends every binding and client and waits for the goroutines of the router
// to end. Requests under way keep their connections until they are over; new ones,
// and those that wait for a binding, fail with ErrClosed.
func (r *Router) Close() error {
	r.closed.Do(func() {
		r.cancel()
		r.dests.drain()
		r.clients.drain()
		r.mu.Lock()
		r.closing = true
		r.mu.Unlock()
		r.running.Wait()
		r.waiting.Close()
	})
	return nil
}

// spawn runs f in a goroutine that Close waits for. After Close it does nothing
// and reports false.
func (r *Router) spawn(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return false
	}
	r.running.Go(f)
	return true
}

// sweep drops idle entries once per TTL.
func (r *Router) sweep() {
	t := time.NewTicker(r.opts.Cache.IdleTTL)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.dests.sweep() // first: its entries hold clients
			r.clients.sweep()
		case <-r.ctx.Done():
			return
		}
	}
}

// unboundPending returns the number of requests to names that never bound.
func (r *Router) unboundPending() (n int64) {
	r.services.each(func(s *service) {
		if s.stats.Load() == nil {
			n += s.pending()
		}
	})
	return n
}

var cacheCounters = counters("evicts", "expires", "misses", "oneshots") //nolint:gochecknoglobals // a table

func (r *Router) exportCaches() {
	scope := r.opts.Metrics.Scope("bindcache")
	for name, s := range map[string]*CacheStats{
		"path": &r.dests.stats, "tree": &r.trees, "bound": &r.bounds, "client": &r.clients.stats,
	} {
		scope.Scope(name).Group(cacheCounters, func(values []float64) {
			for i, n := range [...]*atomic.Int64{&s.Evicts, &s.Expires, &s.Misses, &s.OneShots} {
				values[i] = float64(n.Load())
			}
		})
	}
}

// newBudget makes a budget of options that the configuration has validated; bad
// ones give the default.
func newBudget(o retry.BudgetOptions) retry.Budget {
	b, err := retry.NewBudget(o)
	if err != nil {
		b, _ = retry.NewBudget(retry.BudgetOptions{})
	}
	return b
}
