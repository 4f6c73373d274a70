package naming

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// FollowEndpoints is a Watch of the endpoints of all leaves of what src is bound to,
// as one set: for those who want any endpoint of a name, such as the clients of a
// control plane. Leaves that are pending or have failed are left out as long as there
// is one that is neither. A name that is bound to nothing is Neg. It returns when ctx
// ends.
func FollowEndpoints(ctx context.Context, src weft.Source[State[dtab.Tree[*Bound]]], set func(State[weft.EndpointSet])) error {
	leaves := observed{ctx: ctx, by: map[dtab.Path]*observation{}}
	for {
		a, stale := src.Load()
		leaves.signals = append(leaves.signals[:0], stale)
		s := State[weft.EndpointSet]{Err: a.Err}
		if a.Known {
			s = leaves.union(a.Value)
			if s.Known && s.Err == nil {
				s.Err = a.Err
			}
		}
		set(s)
		if err := Any(ctx, leaves.signals); err != nil {
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
	src    weft.Source[State[weft.EndpointSet]]
	cancel context.CancelFunc
	round  uint64 // the last one in which the tree had the leaf
}

// union returns the endpoints of the bound leaves of t. It observes those, and no
// others any more.
func (o *observed) union(t dtab.Tree[*Bound]) State[weft.EndpointSet] {
	o.round++
	var all []weft.Endpoint
	seen := map[string]bool{}
	out := State[weft.EndpointSet]{Known: true}
	waiting := false
	known, names := 0, 0
	for b := range boundLeaves(t) {
		names++
		s := o.load(b)
		switch {
		case s.Known:
			known++
			for _, e := range s.Value.Endpoints {
				if !seen[e.Addr] {
					seen[e.Addr] = true
					all = append(all, e)
				}
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
		return State[weft.EndpointSet]{}
	case names > 0 && known == 0:
		return Failed[weft.EndpointSet](out.Err)
	}
	out.Value = weft.EndpointSet{Endpoints: all, Neg: len(all) == 0}
	return out
}

// load returns what is known of a leaf's endpoints.
func (o *observed) load(b *Bound) State[weft.EndpointSet] {
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
func boundLeaves(t dtab.Tree[*Bound]) func(yield func(*Bound) bool) {
	var walk func(t dtab.Tree[*Bound], yield func(*Bound) bool) bool
	walk = func(t dtab.Tree[*Bound], yield func(*Bound) bool) bool {
		if t.Op == dtab.Leaf && t.Value != nil {
			return yield(t.Value)
		}
		for _, k := range t.Kids {
			if !walk(k, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(*Bound) bool) { walk(t, yield) }
}
