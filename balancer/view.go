package balancer

import (
	"fmt"
	"slices"
	"time"

	"github.com/weft-mesh/weft"
)

// View is a Balancer at one moment, for people to look at.
type View struct {
	// Policy is the policy's name, that of Linkerd if it has one: p2c, ewma, aperture,
	// heap or roundRobin.
	Policy string

	// ByLatency says that loads are latencies in nanoseconds times outstanding
	// requests. Otherwise they are outstanding requests.
	ByLatency bool

	// OnAllUnhealthy is what becomes of requests while no endpoint is open.
	OnAllUnhealthy Fallback

	// Aperture describes the window of a policy that has one, otherwise it is zero.
	Aperture ApertureStats

	// Endpoints are in the order of Balancer.Endpoints.
	Endpoints []EndpointView
}

// EndpointView is an endpoint at one moment.
type EndpointView struct {
	Endpoint *Endpoint
	Info     weft.Endpoint
	Status   weft.Status

	// Load is what the policy compares, Cost the latency that goes into it, 0 if the
	// policy keeps none. Latencies decay: Cost is that of now.
	Load float64
	Cost time.Duration

	Pending int64

	// Class is the weight class that the endpoint is drawn from.
	Class Class

	// Unweighted says that the endpoint has no share of the traffic, and so is in no
	// class.
	Unweighted bool

	// Outside says that the policy's window, or rotation, leaves the endpoint out.
	Outside bool

	// Leaving says that discovery does not list the endpoint any more: it is kept for
	// as long as it is well.
	Leaving bool
}

// Class is the endpoints of one weight, among which the policy chooses.
type Class struct {
	Weight float64
	// Size is how many there are, Open how many of them take requests.
	Size, Open int
	// Share is the share of the traffic that the class gets while it has an open
	// endpoint, 1 if it is the only one.
	Share float64
	// Median and Least are those of the loads of the open endpoints that can be picked.
	Median, Least float64
}

// View returns the balancer as it is now. It costs time in proportion to the number
// of endpoints; requests do not wait for it, but those of the policy Heap.
func (b *Balancer) View() View {
	s, now := b.snap.Load(), b.now()
	v := View{
		Policy: PolicyName(b.opts.Policy), ByLatency: byLatency(b.opts.Policy), OnAllUnhealthy: b.opts.OnAllUnhealthy,
		Endpoints: make([]EndpointView, len(s.all)),
	}
	at := make(map[*Endpoint]int, len(s.all))
	for i, e := range s.all {
		at[e] = i
		v.Endpoints[i] = EndpointView{
			Endpoint: e, Info: e.Info(), Status: e.Status(), Pending: e.Pending(), Leaving: e.leaving.Load(),
			Unweighted: true, Load: float64(e.Pending()),
		}
	}
	mass := 0.0
	for _, cl := range s.classes {
		mass += cl.share * float64(len(cl.eps))
	}
	for _, cl := range s.classes {
		members := make([]*EndpointView, len(cl.eps))
		for i, e := range cl.eps {
			members[i] = &v.Endpoints[at[e]]
			members[i].Unweighted = false
		}
		see(cl.picker, members, now)
		if a, ok := cl.picker.(interface{ stats() ApertureStats }); ok {
			v.Aperture = a.stats()
		}
		c := classOf(members)
		c.Weight, c.Share = cl.share, 1
		if len(s.classes) > 1 {
			c.Share = cl.share * float64(len(cl.eps)) / mass
		}
		for _, m := range members {
			m.Class = c
		}
	}
	return v
}

// seer is implemented by pickers that know more of their endpoints than Pending.
type seer interface {
	// see sets the fields of the endpoints that the picker knows about.
	see(eps []*EndpointView, now int64)
}

func see(p Picker, eps []*EndpointView, now int64) {
	if s, ok := p.(seer); ok {
		s.see(eps, now)
		return
	}
	if l, ok := p.(Loader); ok {
		for _, e := range eps {
			e.Load = l.Load(e.Endpoint, now)
		}
	}
}

// classOf counts and compares.
func classOf(eps []*EndpointView) Class {
	c := Class{Size: len(eps)}
	var loads []float64
	for _, e := range eps {
		if e.Status != weft.Open {
			continue
		}
		c.Open++
		if !e.Outside {
			loads = append(loads, e.Load)
		}
	}
	if n := len(loads); n > 0 {
		slices.Sort(loads)
		c.Least, c.Median = loads[0], (loads[(n-1)/2]+loads[n/2])/2
	}
	return c
}

// see implements seer.
func (p *ewmaPicker) see(eps []*EndpointView, now int64) {
	for _, e := range eps {
		e.Load, e.Cost = p.peek(e.Endpoint, 1, now)
	}
}

// see implements seer.
func (w *window) see(eps []*EndpointView, now int64) {
	inside := w.eps
	if w.table == nil {
		inside = w.eps[:w.stats().Physical]
	}
	at := make(map[*Endpoint]int, len(inside))
	for i, e := range inside {
		at[e] = i
	}
	for _, e := range eps {
		i, in := at[e.Endpoint]
		inverse := 1.0
		if in && w.inverse != nil {
			inverse = w.inverse[i]
		}
		e.Outside = !in
		if w.latency != nil {
			e.Load, e.Cost = w.latency.peek(e.Endpoint, inverse, now)
		} else {
			e.Load = w.meter.load(e.Endpoint, inverse, now)
		}
	}
}

// see implements seer.
func (p *heapPicker) see(eps []*EndpointView, _ int64) {
	p.mu.Lock()
	nodes := slices.Clone(p.nodes)
	p.mu.Unlock()
	loads := make(map[*Endpoint]int64, len(nodes))
	for i := range nodes {
		loads[nodes[i].e] = nodes[i].load + nodes[i].late
	}
	for _, e := range eps {
		e.Load = float64(loads[e.Endpoint])
	}
}

// see implements seer.
func (p *rotation) see(eps []*EndpointView, _ int64) {
	in := make(map[*Endpoint]bool, len(p.eps))
	for _, e := range p.eps {
		in[e] = true
	}
	for _, e := range eps {
		e.Outside = !in[e.Endpoint]
	}
}

// peek is load without changing anything, and the latency in it.
func (m *latencyMeter) peek(e *Endpoint, inverse float64, now int64) (load float64, cost time.Duration) {
	pending, est := float64(e.Pending()), estimate(e.estimate.Load())
	v := est.ns()
	switch {
	case v == 0 && pending == 0:
		return 0, 0
	case v == 0:
		return unknownCost + pending*inverse, 0
	}
	w := decay(est.age(m.ticks(now)) / m.tau)
	if m.cfg.OriginalCost {
		v *= w
	} else {
		floor := float64(m.mean.Load())
		v = floor + (v-floor)*w
	}
	return v * (pending*inverse + 1), time.Duration(v)
}

func byLatency(p Policy) bool {
	switch p := p.(type) {
	case EWMA:
		return true
	case Aperture:
		return p.Cost != nil
	default:
		return false
	}
}

// PolicyName returns the name that Linkerd has for p; of a policy of somebody else's,
// that of its type.
func PolicyName(p Policy) string {
	switch p.(type) {
	case nil, P2C:
		return "p2c"
	case EWMA:
		return "ewma"
	case Aperture:
		return "aperture"
	case Heap:
		return "heap"
	case RoundRobin:
		return "roundRobin"
	default:
		return fmt.Sprintf("%T", p)
	}
}
