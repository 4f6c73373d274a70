package transport

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/signals"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
)

// Client is everything kept for one bound name: the balancer over its endpoints,
// their breakers and connections, its requeue budget and its metrics. Routes of
// different logical names that lead to the same bound id share it. It is safe
// for concurrent use.
type Client struct {
	slot   slot
	router *Router
	bound  *naming.Bound
	opts   ClientOptions

	begun    sync.Once
	balancer *balancer.Balancer
	requeues retry.Budget
	retry    retry.Client
	stats    *clientStats

	// addrs is what is known of the endpoints. It starts pending and, once there
	// was a set, never goes back: a set that cannot be refreshed stays in use.
	addrs weft.Var[addrState]

	cancel  context.CancelFunc // of the watch
	waiting *signals.Waiting   // for news of the endpoints; nil: there will be none
	retired atomic.Bool
}

// addrState says whether the endpoints of a client are known.
type addrState struct {
	known bool
	size  int   // known endpoints
	err   error // why not known
	meta  map[string]string
}

// settled reports whether the endpoints are known, or known not to be.
func (s addrState) settled() bool { return s.known || s.err != nil }

// serves reports whether there are endpoints.
func (s addrState) serves() bool { return s.known && s.size > 0 }

func (c *Client) slotOf() *slot { return &c.slot }

// ID returns the bound name.
func (c *Client) ID() dtab.Path { return c.bound.ID }

// Options returns the settings the client was made with.
func (c *Client) Options() ClientOptions { return c.opts }

// Retry returns what retry.Do must know of the client that an attempt was placed
// on.
func (c *Client) Retry() *retry.Client { return &c.retry }

// Status returns the best status of the client's endpoints, Closed if there are
// none.
func (c *Client) Status() weft.Status { return c.balancer.Status() }

// Addrs returns the addresses of the client's endpoints.
func (c *Client) Addrs() []string {
	eps := c.balancer.Endpoints()
	addrs := make([]string, len(eps))
	for i, e := range eps {
		addrs[i] = e.Addr()
	}
	return addrs
}

// Endpoints returns the handles of the client's endpoints.
func (c *Client) Endpoints() []*balancer.Endpoint { return c.balancer.Endpoints() }

// Meta returns what discovery says about the endpoint set as a whole. It must not
// be written to.
func (c *Client) Meta() map[string]string {
	s, _ := c.addrs.Load()
	return s.meta
}

// State returns "bound", "Pending", "Neg" or "Failed: why", as
// /client_state.json prints it.
func (c *Client) State() string {
	s, _ := c.addrs.Load()
	switch {
	case s.err != nil:
		return "Failed: " + s.err.Error()
	case !s.known:
		return "Pending"
	case s.size == 0:
		return "Neg"
	default:
		return "bound"
	}
}

// client returns the client of b with a reference taken; kept is false if the
// caller must retire it. Of two Bounds with the same id the first one's addresses
// are used until the client goes.
func (r *Router) client(b *naming.Bound) (c *Client, kept bool) {
	c, kept = r.clients.get(b.ID, func() *Client { return &Client{router: r, bound: b} })
	c.begin()
	return c, kept
}

// begin starts the client, once. It calls what users wrote (options, discovery,
// connections), and so runs outside of all locks but the client's own.
func (c *Client) begin() { c.begun.Do(c.start) }

func (c *Client) start() {
	r := c.router
	c.opts = r.opts.Client(c.bound.ID)
	c.requeues = newBudget(c.opts.RequeueBudget)
	c.stats = r.clientStats.take(c.bound.ID, func() *clientStats {
		return newClientStats(r.opts.Metrics.Scope("client", trimSlash(c.bound.ID)))
	})
	bal := c.opts.Balancer
	bal.Attach, bal.Detach = c.attach, c.detach
	c.balancer = balancer.New(bal)
	c.retry = retry.Client{Budget: c.requeues, Status: c.again, Observe: c.stats.observe}
	c.stats.export(c)

	ctx, cancel := context.WithCancel(r.ctx)
	c.cancel = cancel
	src := c.bound.Addrs(ctx)
	st, stale := src.Load()
	c.apply(st)
	if stale == nil {
		return
	}
	c.waiting = r.waiting.New(func() {
		st, stale := src.Load()
		c.apply(st)
		if stale != nil {
			c.waiting.For(stale)
		}
	})
	c.waiting.For(stale)
}

// apply hands a new endpoint set to the balancer. Failures and pending states
// after a set was known change nothing: stale endpoints are better than none.
// After an empty set, a failure says more than "empty" does.
func (c *Client) apply(st naming.State[weft.EndpointSet]) {
	old, _ := c.addrs.Load()
	switch {
	case st.Known:
		c.balancer.Update(st.Value)
		c.addrs.Store(addrState{known: true, size: len(st.Value.Endpoints), meta: st.Value.Meta})
	case st.Err != nil && !old.serves():
		c.addrs.Store(addrState{err: st.Err})
	}
}

// again is the status that the retry loop goes by. A client that has retired has
// no endpoints, but another attempt would not come here: the name leads somewhere
// else by now.
func (c *Client) again() weft.Status {
	if c.retired.Load() && c.router.ctx.Err() == nil {
		return weft.Open
	}
	return c.balancer.Status()
}

func (c *Client) attach(e *balancer.Endpoint) any {
	s := &endpointState{endpoint: e}
	accrual := c.opts.Accrual
	if accrual == nil {
		accrual = circuit.ConsecutiveFailures{}
	}
	s.breaker = circuit.New(circuit.Options{Policy: accrual, OnStatus: s.tell, Stats: &c.stats.accrual})
	if c.opts.FailFast {
		o := circuit.FailFastOptions{OnStatus: s.tell, Stats: &c.stats.failFast}
		if probe := c.opts.Probe; probe != nil {
			o.Probe = func(ctx context.Context) error { return probe(ctx, e.Info()) }
		}
		s.failFast = circuit.NewFailFast(o)
	}
	if c.opts.Connect != nil {
		s.conn = c.opts.Connect(e.Info(), c.stats.scope)
	}
	return s
}

// detach ends an endpoint whose last request is over, in a goroutine of its own:
// the balancer may call it from within a change of status, that is, with the lock
// of the breaker held that is to be closed, and closing may wait for a probe.
func (c *Client) detach(e *balancer.Endpoint) {
	s, ok := e.Attachment.(*endpointState)
	if ok && !c.router.spawn(s.close) {
		go s.close() // the router is closed, and this was a request that outlived it
	}
}

// retire ends the client: its watch stops, and every endpoint is detached as soon
// as its last request is over.
func (c *Client) retire() {
	c.begin() // it may have been dropped between being made and being started
	if c.retired.Swap(true) {
		return
	}
	c.cancel()
	if c.waiting != nil {
		c.waiting.Stop()
	}
	c.balancer.Close()
	c.router.clientStats.give(c.bound.ID, func(s *clientStats) { s.scope.Prune() })
}
