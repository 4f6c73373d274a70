package k8s

import (
	"context"
	"errors"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// reading is what a naming.FollowFunc does whenever something has changed.
type reading = func(set func(naming.State[weft.EndpointSet])) []<-chan struct{}

// followSlices is the naming.FollowFunc of the endpoints of a service.
func (n *Namer) followSlices(ctx context.Context, key name) (read reading, end func()) {
	f := &follower{n: n, key: key, hosts: hosts{resolve: n.resolve}}
	c := n.client
	f.slices = c.slices.feed(ctx, c.slices.in(key.namespace, ""), key.service)
	if key.portNumber() != 0 {
		f.services = c.services.feed(ctx, c.services.in(key.namespace, ""), key.service)
	}
	return f.reading(ctx, f.readSlices), f.close
}

// followBalancer is the naming.FollowFunc of the load balancer of a service.
func (n *Namer) followBalancer(ctx context.Context, key name) (read reading, end func()) {
	f := &follower{n: n, key: key, hosts: hosts{resolve: n.resolve}}
	c := n.client
	f.services = c.services.feed(ctx, c.services.in(key.namespace, ""), key.service)
	return f.reading(ctx, f.readBalancer), f.close
}

// follower derives the endpoints of one service from what the watches of its
// namespace know.
type follower struct {
	n     *Namer
	key   name
	hosts hosts

	slices    *feed[slice]
	endpoints *feed[slice]   // while slices do not answer
	services  *feed[service] // if the service is of interest
	signals   []<-chan struct{}
}

// reading reports what read knows, if that is anything.
func (f *follower) reading(ctx context.Context, read func(context.Context) (naming.State[weft.EndpointSet], bool)) reading {
	return func(set func(naming.State[weft.EndpointSet])) []<-chan struct{} {
		f.signals = f.signals[:0]
		if s, ok := read(ctx); ok {
			set(s)
		}
		return f.signals
	}
}

func (f *follower) close() {
	f.slices.close()
	f.endpoints.close()
	f.services.close()
	f.hosts.close()
}

// readSlices returns the endpoints as of now, and false while nothing is known that
// is better than what was said last.
func (f *follower) readSlices(ctx context.Context) (naming.State[weft.EndpointSet], bool) {
	at := target{names: []string{f.key.port}}
	var problem error
	if f.services != nil {
		s := f.services.read(&f.signals)
		if !s.Known {
			return naming.Failed[weft.EndpointSet](s.Err), s.Err != nil
		}
		p, ok := declared(s.Value, f.key)
		if !ok {
			return negative(s.Err, s.Version), true
		}
		at, problem = p.target(), s.Err
	}
	s := f.source(ctx)
	if !s.Known {
		return naming.Failed[weft.EndpointSet](s.Err), s.Err != nil
	}
	if problem == nil {
		problem = s.Err
	}
	all, ok := candidates(f.labelled(s.Value), at)
	if !ok {
		return negative(problem, s.Version), true
	}
	return f.resolved(ctx, all, problem, s.Version)
}

// readBalancer returns the addresses of the load balancer.
func (f *follower) readBalancer(ctx context.Context) (naming.State[weft.EndpointSet], bool) {
	s := f.services.read(&f.signals)
	if !s.Known {
		return naming.Failed[weft.EndpointSet](s.Err), s.Err != nil
	}
	p, ok := declared(s.Value, f.key)
	if ok && f.n.label != "" {
		ok = s.Value[0].v.labels[f.n.label] == f.key.label
	}
	if !ok || len(s.Value[0].v.balancers) == 0 {
		return negative(s.Err, s.Version), true
	}
	all := make([]candidate, len(s.Value[0].v.balancers))
	for i, b := range s.Value[0].v.balancers {
		all[i] = candidate{b, p.number}
	}
	return f.resolved(ctx, all, s.Err, s.Version)
}

// source returns the slices of the service: EndpointSlices or, where there are none,
// its Endpoints.
func (f *follower) source(ctx context.Context) naming.State[[]object[slice]] {
	s := f.slices.read(&f.signals)
	answered := s.Known && !unavailable(s.Err)
	if answered && len(s.Value) > 0 || !answered && !unavailable(s.Err) {
		f.endpoints.close()
		f.endpoints = nil
		return s
	}
	if f.endpoints == nil {
		c := f.n.client
		f.endpoints = c.endpoints.feed(ctx, c.endpoints.in(f.key.namespace, ""), f.key.service)
	}
	e := f.endpoints.read(&f.signals)
	switch {
	case e.Known || !unavailable(e.Err):
		return e
	case answered:
		return s // nobody is obliged to grant both
	default:
		s.Err = errors.Join(s.Err, e.Err)
		return s
	}
}

// labelled returns the objects that have the label of the name.
func (f *follower) labelled(all []object[slice]) []object[slice] {
	if f.n.label == "" {
		return all
	}
	var some []object[slice]
	for _, o := range all {
		if o.v.labels[f.n.label] == f.key.label {
			some = append(some, o)
		}
	}
	return some
}

// resolved returns the set of candidates.
func (f *follower) resolved(ctx context.Context, all []candidate, problem error, version string) (naming.State[weft.EndpointSet], bool) {
	s, ok := f.hosts.endpoints(ctx, all, &f.signals)
	if problem != nil {
		s.Err = problem
	}
	return s.At(version), ok
}

// declared returns the port of the service that is meant, if there is one.
func declared(services []object[service], key name) (servicePort, bool) {
	if len(services) == 0 {
		return servicePort{}, false
	}
	number := key.portNumber()
	if number < 0 {
		return servicePort{}, false
	}
	return services[0].v.port(key.port, number)
}

// negative is the state of a name that does not exist, with the reason why that may
// be out of date.
func negative(err error, version string) naming.State[weft.EndpointSet] {
	return naming.State[weft.EndpointSet]{Value: weft.EndpointSet{Neg: true}, Known: true, Err: err, Version: version}
}
