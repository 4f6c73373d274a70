package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// errUnknownHost is in the chain of the error of a service with a host name that
// does not exist.
var errUnknownHost = errors.New("no such host")

// hosts makes an endpoint set of instances, and follows the host names among them.
// Only the goroutine of the watch uses it.
type hosts struct {
	resolve Resolve
	byName  map[[2]string]*resolved

	// changed is closed when combine would return something else for the same
	// instances. It is nil, and never closed, while no host name is involved.
	changed chan struct{}
	cancel  context.CancelFunc // ends the wait for changed
	wait    sync.WaitGroup
}

// resolved is a host name at a port, which is being resolved.
type resolved struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
}

func newHosts(r Resolve) *hosts {
	return &hosts{resolve: r, byName: map[[2]string]*resolved{}, cancel: func() {}}
}

// close ends the following.
func (h *hosts) close() {
	h.cancel()
	for _, r := range h.byName {
		r.cancel()
	}
	h.wait.Wait()
}

// combine joins the instances in the order of their keys. As long as a host name is
// not resolved yet there is nothing to say, which is false, unless nothing was said
// before and something is known. Host names that cannot be resolved are the error of
// the state. ctx is that of the watch: what is resolved is followed until it ends.
func (h *hosts) combine(ctx context.Context, known map[string]*record, published bool) (s naming.State[weft.EndpointSet], ok bool) {
	if len(known) == 0 {
		h.settle(ctx, nil, nil)
		return naming.Ok(weft.EndpointSet{Neg: true}), true
	}
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, 0, len(known))}
	seen := make(map[string]bool, len(known))
	add := func(e weft.Endpoint) {
		if !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	var named map[[2]string]bool
	var signals []<-chan struct{}
	var problem error
	pending := false
	for _, key := range slices.Sorted(maps.Keys(known)) {
		r := known[key]
		if !r.usable {
			continue
		}
		if r.in.at.Addr != "" {
			add(r.in.at)
			continue
		}
		if named == nil {
			named = map[[2]string]bool{}
		}
		name := [2]string{r.in.host, r.in.port}
		named[name] = true
		found, stale := h.find(ctx, name).Load()
		signals = append(signals, stale)
		switch {
		case found.Pending():
			pending = true
		case found.Known && found.Value.Neg:
			problem = cmp.Or(problem, fmt.Errorf("etcd: %q: host %q: %w", key, r.in.host, errUnknownHost))
		case found.Err != nil:
			problem = cmp.Or(problem, fmt.Errorf("etcd: %q: %w", key, found.Err))
		}
		for _, e := range found.Value.Endpoints {
			e.Weight, e.Meta = r.in.at.Weight, r.in.at.Meta
			add(e)
		}
	}
	h.settle(ctx, named, signals)
	switch {
	case pending && (published || len(set.Endpoints) == 0):
		return s, false
	case len(set.Endpoints) == 0 && problem != nil:
		return naming.Failed[weft.EndpointSet](problem), true
	default:
		return naming.State[weft.EndpointSet]{Value: set, Known: true, Err: problem}, true
	}
}

// find returns what is known of a host name, and follows it.
func (h *hosts) find(ctx context.Context, name [2]string) weft.Source[naming.State[weft.EndpointSet]] {
	r, ok := h.byName[name]
	if !ok {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // beyond the present session
		r = &resolved{addrs: h.resolve(ctx, name[0], name[1]), cancel: cancel}
		h.byName[name] = r
	}
	return r.addrs
}

// settle ends the following of names that are gone and begins the wait for signals.
func (h *hosts) settle(ctx context.Context, named map[[2]string]bool, signals []<-chan struct{}) {
	for name, r := range h.byName {
		if !named[name] {
			r.cancel()
			delete(h.byName, name)
		}
	}
	h.cancel()
	h.cancel, h.changed = func() {}, nil
	if len(signals) == 0 {
		return
	}
	ctx, h.cancel = context.WithCancel(ctx)
	changed := make(chan struct{})
	h.changed = changed
	h.wait.Go(func() {
		if naming.Any(ctx, signals) == nil {
			close(changed)
		}
	})
}
