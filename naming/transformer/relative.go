package transformer

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// relative is a Transformer that changes every endpoint set by comparing it with
// another set, the reference. It shares one watch of that among all names. Every
// endpoint set that is observed costs a goroutine, since two things change it.
type relative struct {
	prefix dtab.Path
	name   string
	change func(set, ref weft.EndpointSet) weft.EndpointSet
	refKey string // what the watch is called
	ref    *naming.Shared[string, weft.EndpointSet]
	joins  *joins
	owned  func() error // closes what the reference comes from
}

// Transform implements Transformer. The result is pending until the reference is
// known, and has failed while that has and never was: to let traffic pass meanwhile
// would send it past the proxies that it must go through. After that the tree does
// not depend on the reference any more, only the endpoints do.
func (r *relative) Transform(ctx context.Context, src Bound) Bound {
	return &gated{
		ref:  r.observe(ctx),
		tree: naming.Derive(src, func(s State) State { return leafByLeaf(s, r.leaf) }),
	}
}

// Explain implements Transformer.
func (r *relative) Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	return explainLeaves(ctx, d, r.name, r.leaf)
}

func (r *relative) observe(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
	return r.ref.Observe(ctx, r.refKey)
}

func (r *relative) leaf(b *naming.Bound) *naming.Bound {
	return &naming.Bound{
		ID: r.prefix.Concat(b.ID), Residual: b.Residual,
		Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return join(ctx, r.joins, b.Addrs(ctx), r.observe(ctx), r.compare)
		},
	}
}

// compare changes one set. What is not a set of endpoints stays what it is.
func (r *relative) compare(s, ref naming.State[weft.EndpointSet]) naming.State[weft.EndpointSet] {
	switch {
	case !s.Known, s.Value.Neg:
		return s
	case !ref.Known:
		return ref
	case s.Err == nil:
		s.Err = ref.Err
	}
	s.Value = changed(s.Value, func(set weft.EndpointSet) weft.EndpointSet { return r.change(set, ref.Value) })
	return s
}

// Watches implements naming.Reporter.
func (r *relative) Watches() []naming.WatchStatus { return r.ref.Watches() }

// Close ends the watch of the reference and waits for it.
func (r *relative) Close() error {
	r.joins.close()
	err := r.ref.Close()
	if r.owned != nil {
		err = errors.Join(err, r.owned())
	}
	return err
}

// gated is a bound tree that is not shown before the reference is known. Before, it
// depends on the reference alone, and after on the tree alone, so it takes no
// goroutine to wait for both.
type gated struct {
	ref  weft.Source[naming.State[weft.EndpointSet]]
	tree Bound
	open atomic.Bool
}

// Load implements weft.Source.
func (g *gated) Load() (State, <-chan struct{}) {
	if !g.open.Load() {
		ref, stale := g.ref.Load()
		if !ref.Known {
			return State{Err: ref.Err}, stale
		}
		g.open.Store(true)
	}
	return g.tree.Load()
}
