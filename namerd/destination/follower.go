package destination

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// endpointState is what is known of the endpoints of a name.
type endpointState = naming.State[weft.EndpointSet]

// follower reads the endpoints of all leaves of a tree. It is not safe for
// concurrent use.
type follower struct {
	ctx    context.Context
	tree   weft.Source[naming.State[namerd.Binding]]
	leaves map[dtab.Path]*leaf
	round  uint64 // counts the readings
}

// leaf is a bound name whose endpoints are observed.
type leaf struct {
	addrs  weft.Source[endpointState]
	cancel context.CancelFunc
	round  uint64 // the last reading that used it
}

func newFollower(ctx context.Context, tree weft.Source[naming.State[namerd.Binding]]) *follower {
	return &follower{ctx: ctx, tree: tree, leaves: map[dtab.Path]*leaf{}}
}

// read returns what is known now, and what makes that out of date.
func (f *follower) read() (endpointState, []<-chan struct{}) {
	f.round++
	t, stale := f.tree.Load()
	signals := []<-chan struct{}{stale}
	m := merger{seen: map[string]bool{}}
	for b := range leavesOf(t.Value.Tree) {
		st, newer := f.leaf(b).addrs.Load()
		signals = append(signals, newer)
		m.add(st)
	}
	for id, l := range f.leaves {
		if l.round != f.round {
			l.cancel()
			delete(f.leaves, id)
		}
	}
	switch {
	case !t.Known:
		return endpointState{Err: t.Err}, signals
	case t.Value.Tree.Op == dtab.Neg:
		return naming.Ok(weft.EndpointSet{Neg: true}), signals
	case t.Value.Tree.Op == dtab.Empty:
		return naming.Ok(weft.EndpointSet{}), signals
	}
	return m.state(), signals
}

// leaf returns the observation of the endpoints of b.
func (f *follower) leaf(b *naming.Bound) *leaf {
	l := f.leaves[b.ID]
	if l == nil {
		ctx, cancel := context.WithCancel(f.ctx)
		l = &leaf{addrs: b.Addrs(ctx), cancel: cancel}
		f.leaves[b.ID] = l
	}
	l.round = f.round
	return l
}

func (f *follower) close() {
	for _, l := range f.leaves {
		l.cancel()
	}
}

// leavesOf yields the bound names that traffic goes to.
func leavesOf(t dtab.Tree[*naming.Bound]) func(yield func(*naming.Bound) bool) {
	return func(yield func(*naming.Bound) bool) { visit(t, yield) }
}

func visit(t dtab.Tree[*naming.Bound], yield func(*naming.Bound) bool) bool {
	switch t.Op {
	case dtab.Leaf:
		return yield(t.Value)
	case dtab.Alt, dtab.Union:
		for _, k := range t.Kids {
			if t.Op == dtab.Union && k.Weight == 0 {
				continue // the interface has no shares, and this one is none
			}
			if !visit(k, yield) {
				return false
			}
		}
	default:
	}
	return true
}
