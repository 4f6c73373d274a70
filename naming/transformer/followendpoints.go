package transformer

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// followEndpoints reports the endpoints of all bound leaves of a namer's answer, as
// one set, until ctx ends. Leaves that are pending or have failed are left out as
// long as there is one that is neither. An answer without bound leaves is Neg.
func followEndpoints(
	ctx context.Context, src weft.Source[naming.State[dtab.Tree[naming.Name]]], set func(naming.State[weft.EndpointSet]),
) error {
	leaves := observed{ctx: ctx, by: map[dtab.Path]*observation{}}
	for {
		a, stale := src.Load()
		leaves.signals = append(leaves.signals[:0], stale)
		s := naming.State[weft.EndpointSet]{Err: a.Err}
		if a.Known {
			s = leaves.union(a.Value)
			if s.Known && s.Err == nil {
				s.Err = a.Err
			}
		}
		set(s)
		if err := naming.Any(ctx, leaves.signals); err != nil {
			return err
		}
	}
}

// observed are the endpoint sets that are followed, by the ids of their names.
type observed struct {
	ctx     context.Context
	by      map[dtab.Path]*observation
	round   uint64
	signals []<-chan struct{}
}

type observation struct {
	src    weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
	round  uint64 // the last one in which the tree had the leaf
}

// union returns the endpoints of the bound leaves of t. It observes those, and no
// others any more.
func (o *observed) union(t dtab.Tree[naming.Name]) naming.State[weft.EndpointSet] {
	o.round++
	var all distinct
	out := naming.State[weft.EndpointSet]{Known: true}
	waiting := false
	known, names := 0, 0
	for b := range boundLeaves(t) {
		names++
		s := o.load(b)
		switch {
		case s.Known:
			known++
			for _, e := range s.Value.Endpoints {
				all.add(e)
			}
		case s.Pending():
			waiting = true
		}
		if out.Err == nil {
			out.Err = s.Err
		}
	}
	for id, x := range o.by {
		if x.round != o.round {
			x.cancel()
			delete(o.by, id)
		}
	}
	switch {
	case names > 0 && known == 0 && waiting && out.Err == nil:
		return naming.State[weft.EndpointSet]{}
	case names > 0 && known == 0:
		return naming.Failed[weft.EndpointSet](out.Err)
	}
	out.Value = weft.EndpointSet{Endpoints: all.endpoints, Neg: len(all.endpoints) == 0}
	return out
}

// load returns what is known of a leaf's endpoints.
func (o *observed) load(b *naming.Bound) naming.State[weft.EndpointSet] {
	x := o.by[b.ID]
	if x == nil {
		ctx, cancel := context.WithCancel(o.ctx)
		x = &observation{src: b.Addrs(ctx), cancel: cancel}
		o.by[b.ID] = x
	}
	x.round = o.round
	s, stale := x.src.Load()
	o.signals = append(o.signals, stale)
	return s
}

// boundLeaves yields the bound names in a tree.
func boundLeaves(t dtab.Tree[naming.Name]) func(yield func(*naming.Bound) bool) {
	var walk func(t dtab.Tree[naming.Name], yield func(*naming.Bound) bool) bool
	walk = func(t dtab.Tree[naming.Name], yield func(*naming.Bound) bool) bool {
		if t.Op == dtab.Leaf && t.Value.Bound != nil {
			return yield(t.Value.Bound)
		}
		for _, k := range t.Kids {
			if !walk(k, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(*naming.Bound) bool) { walk(t, yield) }
}
