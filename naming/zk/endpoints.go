package zk

import (
	"context"
	"maps"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// choice is what is registered for a name.
type choice struct {
	up   []chosen // each address once
	down []chosen // they say themselves that they are
	neg  bool     // without addresses there is no such name
	meta map[string]string
}

// chosen is an address that is registered.
type chosen struct {
	hostPort
	weight float64 // as weft.Endpoint has it
}

// resolution makes endpoints of what is registered.
type resolution[T any] struct {
	src     weft.Source[naming.State[T]]
	choose  func(T) choice
	resolve Resolve
	hold    time.Duration // for endpoints that vanish
}

// follow reports the endpoints until ctx ends.
func (r resolution[T]) follow(ctx context.Context, set func(naming.State[weft.EndpointSet])) error {
	hosts := newHosts(r.resolve)
	hold := holder{d: r.hold}
	var pub publisher[weft.EndpointSet]
	for ctx.Err() == nil {
		s, stale := r.src.Load()
		hosts.begin(stale)
		switch {
		case s.Known:
			c := r.choose(s.Value)
			for _, a := range c.up {
				hosts.add(ctx, a)
			}
			hosts.end()
			kept := hold.apply(hosts.set, c.down)
			next := naming.State[weft.EndpointSet]{
				Value: weft.EndpointSet{Endpoints: kept, Neg: c.neg && len(kept) == 0, Meta: maps.Clone(c.meta)},
				Known: true, Err: s.Err, Version: s.Version,
			}
			if next.Err == nil {
				next.Err = hosts.problem
			}
			switch {
			case len(c.up) == 0 || len(kept) > 0:
				pub.publish(set, next)
			case !hosts.pending: // some are registered, and none can be resolved
				set(naming.Failed[weft.EndpointSet](next.Err))
			}
		case s.Err != nil:
			set(naming.Failed[weft.EndpointSet](s.Err))
		}
		waitUntil(ctx, hold.next, hosts.signals)
	}
	return nil
}

// waitUntil waits for one of the signals, a time if it is one, or the end of ctx.
func waitUntil(ctx context.Context, at time.Time, signals []<-chan struct{}) {
	if !at.IsZero() {
		due := make(chan struct{})
		t := time.AfterFunc(time.Until(at), func() { close(due) })
		defer t.Stop()
		signals = append(signals, due)
	}
	_ = naming.Any(ctx, signals) // the caller looks at ctx
}
