package transport

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
)

// Client is everything kept for one bound name: the balancer over its endpoints,
// their breakers and connections, its requeue budget and its metrics. Routes of
// different logical names that lead to the same bound id share it. It is safe
// for concurrent use.
type Client struct {
	slot slot
	id   dtab.Path
	opts ClientOptions

	balancer *balancer.Balancer
	requeues retry.Budget
	retry    retry.Client
	stats    *clientStats

	// addrs is what is known of the endpoints. It starts pending and, once there
	// was a set, never goes back: a set that cannot be refreshed stays in use.
	addrs weft.Var[addrState]

	cancel context.CancelFunc
	done   chan struct{}
	closed sync.Once
}

// addrState says whether the endpoints of a client are known.
type addrState struct {
	known bool
	empty bool  // known, and there are none
	err   error // why not known
	meta  map[string]string
}

// endpointState is what a Client hangs on each endpoint's handle. It lives as long
// as the handle: load, breaker and connections survive rebuilds of the picker.
type endpointState struct {
	breaker *circuit.Breaker
	conn    io.Closer
}

func (c *Client) slotOf() *slot { return &c.slot }

// ID returns the bound name.
func (c *Client) ID() dtab.Path { return c.id }

// Options returns the settings the client was made with.
func (c *Client) Options() ClientOptions { return c.opts }

// Retry returns what retry.Do must know of the client that an attempt was placed
// on.
func (c *Client) Retry() *retry.Client { return &c.retry }

// Status returns the best status of the client's endpoints.
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

// Meta returns what discovery says about the endpoint set as a whole.
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
	case s.empty:
		return "Neg"
	default:
		return "bound"
	}
}

// newClient starts a client for b. Its goroutine, if the addresses can change,
// ends when the client retires.
func (r *Router) newClient(b *naming.Bound) *Client {
	opts := r.opts.Client(b.ID)
	c := &Client{id: b.ID, opts: opts, done: make(chan struct{})}
	c.stats = newClientStats(r.opts.Metrics.Scope("client", trimSlash(b.ID)))
	c.requeues = newBudget(opts.RequeueBudget)

	bal := opts.Balancer
	bal.Attach = c.attach
	bal.Detach = c.detach
	c.balancer = balancer.New(bal)
	c.retry = retry.Client{Budget: c.requeues, Status: c.Status, Observe: c.stats.observe}
	c.stats.export(c)

	ctx, cancel := context.WithCancel(r.ctx)
	c.cancel = cancel
	src := b.Addrs(ctx)
	st, stale := src.Load()
	c.apply(st)
	if stale == nil {
		close(c.done)
		return c
	}
	go c.follow(ctx, src, stale)
	return c
}

func (c *Client) follow(ctx context.Context, src weft.Source[naming.State[weft.EndpointSet]], stale <-chan struct{}) {
	defer close(c.done)
	for stale != nil {
		select {
		case <-stale:
		case <-ctx.Done():
			return
		}
		var st naming.State[weft.EndpointSet]
		st, stale = src.Load()
		c.apply(st)
	}
}

// apply hands a new endpoint set to the balancer. Failures and pending states
// after a set was known change nothing: stale endpoints are better than none.
func (c *Client) apply(st naming.State[weft.EndpointSet]) {
	old, _ := c.addrs.Load()
	switch {
	case st.Known:
		c.balancer.Update(st.Value)
		c.addrs.Store(addrState{known: true, empty: len(st.Value.Endpoints) == 0, meta: st.Value.Meta})
	case st.Err != nil && (!old.known || old.empty):
		c.addrs.Store(addrState{err: st.Err})
	}
}

func (c *Client) attach(e *balancer.Endpoint) any {
	accrual := c.opts.Accrual
	if accrual == nil {
		accrual = circuit.ConsecutiveFailures{}
	}
	s := &endpointState{
		breaker: circuit.New(circuit.Options{Policy: accrual, OnStatus: e.SetStatus, Stats: &c.stats.accrual}),
	}
	if c.opts.Connect != nil {
		s.conn = c.opts.Connect(e.Info(), c.stats.scope)
	}
	return s
}

func (c *Client) detach(e *balancer.Endpoint) {
	s, ok := e.Attachment.(*endpointState)
	if !ok {
		return
	}
	_ = s.breaker.Close() // stops its timer; never fails
	if s.conn != nil {
		_ = s.conn.Close() // idle connections: there is nobody left to tell
	}
}

// retire ends the client: its watch stops, and every endpoint is detached as soon
// as its last request is over.
func (c *Client) retire() {
	c.closed.Do(func() {
		c.cancel()
		<-c.done
		c.balancer.Close()
		c.stats.scope.Prune()
	})
}

// settled reports whether the endpoints are known, or known not to be.
func (s addrState) settled() bool { return s.known || s.err != nil }

// errIsEmpty reports whether a balancer had nothing to pick from.
func errIsEmpty(err error) bool { return errors.Is(err, balancer.ErrEmpty) }
