package transformer

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Endpoints is a Transformer that changes every endpoint set by itself. It costs no
// goroutine.
type Endpoints struct {
	// Prefix is what the ids of the changed names begin with, such as
	// /%/io.l5d.port/4141.
	Prefix dtab.Path

	// Name is what explanations call the transformer, such as io.l5d.port.
	Name string

	// Change returns the set that takes the place of one that exists. It must be pure
	// and is called concurrently. A set without endpoints becomes Neg.
	Change func(weft.EndpointSet) weft.EndpointSet
}

// Transform implements Transformer.
func (e Endpoints) Transform(_ context.Context, src Bound) Bound {
	return naming.Derive(src, func(s State) State { return leafByLeaf(s, e.leaf) })
}

// Explain implements Transformer.
func (e Endpoints) Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	return explainLeaves(ctx, d, e.Name, e.leaf)
}

func (e Endpoints) leaf(b *naming.Bound) *naming.Bound {
	return &naming.Bound{
		ID: e.Prefix.Concat(b.ID), Residual: b.Residual,
		Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return naming.Derive(b.Addrs(ctx), func(s naming.State[weft.EndpointSet]) naming.State[weft.EndpointSet] {
				return naming.MapState(s, func(set weft.EndpointSet) weft.EndpointSet { return changed(set, e.Change) })
			})
		},
	}
}

// changed applies change to a set that exists. Nothing left is Neg, as in Linkerd.
func changed(set weft.EndpointSet, change func(weft.EndpointSet) weft.EndpointSet) weft.EndpointSet {
	if set.Neg {
		return set
	}
	if set = change(set); len(set.Endpoints) == 0 {
		return weft.EndpointSet{Neg: true}
	}
	return set
}

// filter returns what keeps the endpoints with an address that keep accepts. Those
// that have none, answers that the proxy gives itself, stay.
func filter(keep func(weft.Endpoint) bool) func(weft.EndpointSet) weft.EndpointSet {
	return func(set weft.EndpointSet) weft.EndpointSet {
		var kept []weft.Endpoint
		for _, e := range set.Endpoints {
			if e.Local != "" || keep(e) {
				kept = append(kept, e)
			}
		}
		set.Endpoints = kept
		return set
	}
}

// explainLeaves puts a transformation in the place of each leaf of an explanation.
func explainLeaves(
	ctx context.Context, d naming.Delegation, name string, leaf func(*naming.Bound) *naming.Bound,
) (naming.Delegation, error) {
	d = d.MapLeaves(func(old naming.Delegation) naming.Delegation {
		if old.Bound == nil {
			return old
		}
		b := leaf(old.Bound)
		return transformation(old, name, naming.Delegation{Kind: naming.KindLeaf, Path: b.ID, Dentry: old.Dentry, Bound: b})
	})
	err := naming.ResolveAddrs(ctx, &d)
	return d, err
}

// transformation returns the node that says that name made into of old.
func transformation(old naming.Delegation, name string, into naming.Delegation) naming.Delegation {
	t := old
	t.Kind, t.Name, t.Kids = naming.KindTransformation, name, []naming.Delegation{into}
	return t
}
