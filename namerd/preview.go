package namerd

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Outcome is what a name is bound to, or why it is not. A pending one has had no answer
// in time.
type Outcome = naming.State[dtab.Tree[*naming.Bound]]

// Effect is what a change of a dtab does to a name.
type Effect struct {
	Active

	Before, After Outcome
}

// Differs reports whether requests for the name could go elsewhere after the change:
// to other bound names, in other shares, or nowhere. An answer that did not come in time
// differs from one that did.
func (e Effect) Differs() bool {
	b, a := e.Before, e.After
	switch {
	case b.Known && a.Known:
		return !dtab.EqualFunc(b.Value, a.Value, func(x, y *naming.Bound) bool {
			return x.ID == y.ID && x.Residual == y.Residual
		})
	case b.Err != nil && a.Err != nil:
		return b.Known != a.Known || b.Err.Error() != a.Err.Error()
	default:
		return b.Known != a.Known || (b.Err == nil) != (a.Err == nil)
	}
}

// Preview binds names by the dtab before and by the dtab after, as if a namespace had
// them, and returns what comes of each, in the order of names. It waits until all have
// answered or ctx ends. The namers are asked in earnest: names that nobody has bound
// yet are looked up. What Bound.Addrs returns is kept up to date until ctx ends.
func (n *Namerd) Preview(ctx context.Context, before, after dtab.Dtab, names []Active) []Effect {
	type pair struct{ before, after weft.Source[Outcome] }
	asked := make([]pair, len(names))
	for i, a := range names {
		asked[i] = pair{
			n.bare.Bind(ctx, before.Concat(a.Local), a.Name),
			n.bare.Bind(ctx, after.Concat(a.Local), a.Name),
		}
	}
	answered := func(o Outcome) bool { return !o.Pending() }
	effects := make([]Effect, len(names))
	for i, a := range names {
		effects[i].Active = a
		// An error says that time is up: what there is is the answer then.
		effects[i].Before, _ = weft.Until(ctx, asked[i].before, answered)
		effects[i].After, _ = weft.Until(ctx, asked[i].after, answered)
	}
	return effects
}
