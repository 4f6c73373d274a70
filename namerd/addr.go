package namerd

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
)

// errTreeFailed is the state of an id whose look-up says "fail".
var errTreeFailed = errors.New("name tree failed")

// Addr observes the endpoints of a concrete id, such as the one of a leaf of a
// Binding, until ctx ends. What transformers of proxies have put before the id is
// dropped. An id that no namer knows is Neg; one that is not concrete has failed.
func (n *Namerd) Addr(ctx context.Context, id dtab.Path) weft.Source[naming.State[weft.EndpointSet]] {
	return n.addrs.Observe(ctx, transformer.Strip(id))
}

func (n *Namerd) watchAddr(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error {
	bound := n.bare.Bind(ctx, nil, id)
	for {
		t, changed := bound.Load()
		switch {
		case !t.Known:
			set(naming.State[weft.EndpointSet]{Err: t.Err})
		case t.Value.Op == dtab.Leaf:
			if err := followLeaf(ctx, t.Value.Value, changed, set); err != nil {
				return err
			}
			continue
		case t.Value.Op == dtab.Neg:
			set(naming.Ok(weft.EndpointSet{Neg: true}))
		case t.Value.Op == dtab.Empty:
			set(naming.Ok(weft.EndpointSet{}))
		case t.Value.Op == dtab.Fail:
			set(naming.Failed[weft.EndpointSet](errTreeFailed))
		default:
			set(naming.Failed[weft.EndpointSet](fmt.Errorf("%s is not a concrete bound id", id)))
		}
		if err := naming.Any(ctx, []<-chan struct{}{changed}); err != nil {
			return err
		}
	}
}

// followLeaf reports the endpoints of b until there is another leaf to follow.
func followLeaf(ctx context.Context, b *naming.Bound, changed <-chan struct{}, set func(naming.State[weft.EndpointSet])) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	addrs := b.Addrs(ctx)
	for {
		a, newer := addrs.Load()
		set(a)
		select {
		case <-newer:
		case <-changed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
