package transport

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
)

// Router leads from logical names to endpoints and keeps what is worth keeping
// between calls: bindings and retry budgets per logical name, balancers, breakers
// and connections per bound name. It is safe for concurrent use.
type Router struct {
	opts    Options
	epoch   time.Time
	dests   *cache[destKey, *Dest]
	clients *cache[dtab.Path, *Client]
	unbound *serviceStats // names that never bound share their metrics

	ctx    context.Context //nolint:containedctx // the life of everything the router started
	cancel context.CancelFunc
	done   sync.WaitGroup
	closed sync.Once
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
	r := &Router{opts: opts, epoch: time.Now()}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.dests = newCache[destKey, *Dest](opts.Cache.Paths)
	r.clients = newCache[dtab.Path, *Client](opts.Cache.Clients)
	r.unbound = newServiceStats(opts.Metrics.Scope("unbound"), nil)
	r.exportCaches()
	r.done.Add(1)
	go r.sweep()
	return r, nil
}

// Dest returns the destination of a logical name under a per-request dtab, with a
// reference taken: the caller must call Done (or Release) when the request is
// over. It never blocks; the first use of a name starts binding it.
func (r *Router) Dest(path dtab.Path, local dtab.Dtab) *Dest {
	k := destKey{path: path}
	if len(local) > 0 {
		k.local = local.String()
	}
	d, kept := r.dests.get(k, func() *Dest { return r.newDest(path, local) })
	if !kept {
		d.kept = false
	}
	return d
}

// Options returns the options in force, with their defaults filled in.
func (r *Router) Options() Options { return r.opts }

// Clients returns the clients that the router keeps now, in no order.
func (r *Router) Clients() []*Client { return r.clients.values() }

// Close ends every binding and client and waits for the goroutines of the router
// to end. Requests under way keep their connections until they are over; new ones
// fail.
func (r *Router) Close() error {
	r.closed.Do(func() {
		r.cancel()
		r.dests.drain()
		r.clients.drain()
	})
	r.done.Wait()
	return nil
}

// sweep drops idle entries once per TTL.
func (r *Router) sweep() {
	defer r.done.Done()
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

// now is the monotonic time since the router was made, in nanoseconds.
func (r *Router) now() int64 { return int64(time.Since(r.epoch)) }

func (r *Router) exportCaches() {
	scope := r.opts.Metrics.Scope("bindcache")
	for name, s := range map[string]*CacheStats{"path": &r.dests.stats, "client": &r.clients.stats} {
		sc := scope.Scope(name)
		sc.CounterFunc("misses", s.Misses.Load)
		sc.CounterFunc("evicts", s.Evicts.Load)
		sc.CounterFunc("expires", s.Expires.Load)
		sc.CounterFunc("oneshots", s.OneShots.Load)
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
