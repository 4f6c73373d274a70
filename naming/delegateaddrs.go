package naming

import (
	"context"

	"github.com/weft-mesh/weft"
)

// ResolveAddrs fills in the endpoints of d's leaves, for who makes an explanation.
// It observes all of them at once and waits until none is pending that can still
// change, or ctx ends; it then returns the context's cause.
func ResolveAddrs(ctx context.Context, d *Delegation) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var leaves []*Delegation
	collectLeaves(d, &leaves)
	sources := make([]weft.Source[State[weft.EndpointSet]], len(leaves))
	for i, l := range leaves {
		sources[i] = l.Bound.Addrs(ctx)
	}
	known := func(s State[weft.EndpointSet]) bool { return !s.Pending() }
	var late error
	for i, src := range sources {
		s, err := weft.Until(ctx, src, known)
		leaves[i].Addr = s
		if err != nil && ctx.Err() != nil {
			late = err // the others may have an answer all the same
		}
	}
	return late
}

func collectLeaves(d *Delegation, to *[]*Delegation) {
	if d.Kind == KindLeaf && d.Bound != nil && d.Bound.Addrs != nil {
		*to = append(*to, d)
	}
	for i := range d.Kids {
		collectLeaves(&d.Kids[i], to)
	}
}
