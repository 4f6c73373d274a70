package admin

import (
	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
)

// add puts what a router has come to into the page.
func (r *endpointsRouter) add(v transport.View) {
	for _, s := range v.Services {
		shown := endpointsService{
			Service: s.Service.String(), Pending: s.Pending, Retrying: s.Retrying,
			RetryBudget: budgetOf(s.Budget), Clients: make([]string, len(s.Clients)),
		}
		for i, c := range s.Clients {
			shown.Clients[i] = c.String()
		}
		if s.Err != nil {
			shown.Error = s.Err.Error()
		}
		r.Services = append(r.Services, shown)
	}
	for i := range v.Clients {
		r.Clients = append(r.Clients, clientOf(&v.Clients[i]))
	}
}

func budgetOf(b transport.BudgetView) endpointsBudget {
	return endpointsBudget{b.Balance, b.Ratio, b.MinPerSecond, b.TTL.Seconds()}
}

func clientOf(v *transport.ClientView) endpointsClient {
	c := endpointsClient{
		Client: v.Client.String(), State: v.State, Status: v.Status.String(), Balancer: v.Balancer.Policy,
		RequeueBudget: budgetOf(v.Requeues), Size: len(v.Endpoints), Aperture: v.Balancer.Aperture.Physical,
		Endpoints: make([]endpointsMember, len(v.Endpoints)),
	}
	for i := range v.Endpoints {
		e := &v.Endpoints[i]
		if e.Status == weft.Open {
			c.Available++
		}
		c.Endpoints[i] = memberOf(e, v.Balancer.ByLatency)
	}
	return c
}

func memberOf(e *transport.EndpointView, byLatency bool) endpointsMember {
	m := endpointsMember{
		Address: e.Info.Addr, Weight: e.Info.Share(), Metadata: e.Info.Meta, Status: e.Status.String(),
		Load: e.Load, EWMAMs: e.Cost.Seconds() * 1000, Pending: e.Pending,
		Breaker: endpointsBreaker{
			State: breakerState(e.Breaker.State), Policy: e.Breaker.Policy, Standing: e.Breaker.Standing, Failures: e.Breaker.Failures,
			OpenForMs: e.Breaker.Out.Milliseconds(), RetryInMs: e.Breaker.Retry.Milliseconds(),
		},
		InAperture: !e.Outside && !e.Unweighted, Pickable: e.Pickable, Why: e.Why,
	}
	if m.Metadata == nil {
		m.Metadata = map[string]string{}
	}
	if byLatency {
		m.Load /= 1e6
	}
	if f := e.FailFast; f.Err != nil {
		m.FailFast = &endpointsFailFast{f.Err.Error(), f.Failed, f.Down.Milliseconds(), f.Retry.Milliseconds()}
	}
	if e.Counted {
		m.Connections = &endpointsConnections{e.Open, e.Idle}
	}
	if !e.Unweighted {
		m.WeightClass = &endpointsClass{e.Class.Weight, e.Class.Size, e.Class.Open, e.Class.Share}
	}
	return m
}

// breakerState is the state in the words that people have for circuit breakers: open
// lets nothing through.
func breakerState(s circuit.State) string {
	switch s {
	case circuit.Alive:
		return "closed"
	case circuit.ProbeOpen, circuit.ProbeClosed:
		return "probing"
	default:
		return "open"
	}
}
