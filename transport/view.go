package transport

import (
	"cmp"
	"slices"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
)

// View is what a Router has come to at one moment, in plain values: what it knows of
// names, where they lead, and why an endpoint is or is not being picked. Its parts
// are read one after the other, so that they need not fit together to the last digit.
type View struct {
	Services []ServiceView // sorted by name
	Clients  []ClientView  // sorted by id
}

// ServiceView is a logical name.
type ServiceView struct {
	Service dtab.Path
	// Pending is the number of requests under way, Retrying that of the retries that
	// these have made so far.
	Pending, Retrying int64
	Budget            BudgetView
	// Clients are the bound names that requests can go to now, sorted.
	Clients []dtab.Path
	// Err is why there are none. It is of one of the dtabs that requests brought along.
	Err error
}

// BudgetView is a retry budget: what is in it, and what it gets.
type BudgetView struct {
	Balance int
	retry.Terms
}

// ClientView is a bound name.
type ClientView struct {
	Client dtab.Path
	State  string // as Client.State
	Status weft.Status
	// Balancer is the balancer with its endpoints, of which Endpoints says more, in the
	// same order.
	Balancer  balancer.View
	Requeues  BudgetView
	Endpoints []EndpointView
}

// EndpointView is an endpoint of a client.
type EndpointView struct {
	balancer.EndpointView

	Breaker circuit.View
	// FailFast is zero while connecting works, or where fail-fast is off.
	FailFast circuit.FailFastView

	// Open and Idle are connections, if Counted: not all adapters can count them.
	Open, Idle int
	Counted    bool

	// Pickable says whether a request may be sent to the endpoint now, Why gives the
	// reason in a sentence.
	Pickable bool
	Why      string
}

// ConnCounter may be implemented by what ClientOptions.Connect returns.
type ConnCounter interface {
	// Connections returns how many connections to the endpoint there are, and how many
	// of them are not in use. It is safe for concurrent use.
	Connections() (open, idle int)
}

// ViewOptions say what to leave out of a View. The zero value leaves out nothing.
type ViewOptions struct {
	// Client is the one bound name to show. The empty path shows all.
	Client dtab.Path
}

// View returns what the router has come to. Requests do not wait for it.
func (r *Router) View(o ViewOptions) View {
	var v View
	var services []*service
	r.services.each(func(s *service) { services = append(services, s) })
	for _, s := range services {
		sv := s.view()
		if o.Client.IsEmpty() || slices.Contains(sv.Clients, o.Client) {
			v.Services = append(v.Services, sv)
		}
	}
	slices.SortFunc(v.Services, func(x, y ServiceView) int { return comparePaths(x.Service, y.Service) })
	for _, c := range r.Clients() {
		if o.Client.IsEmpty() || c.ID() == o.Client {
			v.Clients = append(v.Clients, c.view())
		}
	}
	slices.SortFunc(v.Clients, func(x, y ClientView) int { return comparePaths(x.Client, y.Client) })
	return v
}

func comparePaths(x, y dtab.Path) int { return cmp.Compare(x.String(), y.String()) }

func (s *service) view() ServiceView {
	v := ServiceView{
		Service: s.path, Retrying: s.retrying.Load(),
		Budget: BudgetView{s.policy.Budget.Balance(), s.opts.Budget.Terms()},
	}
	s.mu.Lock()
	dests := make([]*Dest, 0, len(s.dests))
	for d := range s.dests {
		v.Pending += d.slot.refs.Load()
		dests = append(dests, d)
	}
	s.mu.Unlock()
	for _, d := range dests {
		switch rd := d.cur.Load(); {
		case rd == nil:
		case rd.route == nil:
			v.Err = rd.err
		default:
			for _, b := range rd.route.branches {
				if b.client != nil {
					v.Clients = append(v.Clients, b.client.ID())
				}
			}
		}
	}
	slices.SortFunc(v.Clients, comparePaths)
	v.Clients = slices.Compact(v.Clients)
	if len(v.Clients) > 0 {
		v.Err = nil
	}
	return v
}

func (c *Client) view() ClientView {
	v := ClientView{
		Client: c.ID(), State: c.State(), Status: c.Status(), Balancer: c.balancer.View(),
		Requeues: BudgetView{c.requeues.Balance(), c.opts.RequeueBudget.Terms()},
	}
	open := 0
	for _, e := range v.Balancer.Endpoints {
		if e.Status == weft.Open && !e.Unweighted {
			open++
		}
	}
	v.Endpoints = make([]EndpointView, len(v.Balancer.Endpoints))
	for i, e := range v.Balancer.Endpoints {
		ev := EndpointView{EndpointView: e}
		if s, ok := e.Endpoint.Attachment.(*endpointState); ok {
			ev.Breaker = s.breaker.View()
			if s.failFast != nil {
				ev.FailFast = s.failFast.View()
			}
			if n, ok := s.conn.(ConnCounter); ok {
				ev.Open, ev.Idle = n.Connections()
				ev.Counted = true
				if e.Pending == 0 {
					ev.Idle = ev.Open // nobody is left to use them
				}
			}
		}
		ev.Pickable, ev.Why = reason{balancer: &v.Balancer, open: open, endpoint: &ev}.say()
		v.Endpoints[i] = ev
	}
	return v
}

// roughly rounds a time for people.
func roughly(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
