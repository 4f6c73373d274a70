package naming

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Namer turns names into trees of endpoint sets, or of further names.
//
// Lookup answers for p, which is the name with the namer's prefix taken off. It
// must not block: it returns a Source at once, pending if need be. What keeps
// the Source up to date (a watch, a poll) runs at most until ctx ends; after
// that the Source may stand still. Leaves that are paths are looked up again
// through the dtab and all namers. Lookup is called concurrently and often, with
// the same path too, so whatever is costly is shared (see Shared).
type Namer interface {
	Lookup(ctx context.Context, p dtab.Path) weft.Source[State[dtab.Tree[Name]]]
}

// NamerFunc adapts a function to a Namer.
type NamerFunc func(ctx context.Context, p dtab.Path) weft.Source[State[dtab.Tree[Name]]]

// Lookup implements Namer.
func (f NamerFunc) Lookup(ctx context.Context, p dtab.Path) weft.Source[State[dtab.Tree[Name]]] {
	return f(ctx, p)
}

// Name is a leaf of a namer's answer: a bound name, or a path that is to be
// looked up again.
type Name struct {
	Bound *Bound    // nil for a path
	Path  dtab.Path // meaningful if Bound is nil
}

// Bound is a concrete name: an identified set of endpoints.
type Bound struct {
	// ID identifies the set, such as /#/io.l5d.fs/web. Looked up by itself it binds
	// to the same set. Clients (balancer, connections, breakers) are kept per ID.
	ID dtab.Path

	// Residual is the rest of the name that the namer did not consume.
	Residual dtab.Path

	// Addrs observes the endpoints. The observation is kept up to date until ctx
	// ends, independently of the look-up that returned the Bound: who uses the
	// endpoints keeps them fresh.
	Addrs func(ctx context.Context) weft.Source[State[weft.EndpointSet]]

	treeWeight string // see weighted
}

// Interpreter binds a path: it rewrites it with the dtab until namers have
// answered for every leaf. local is the per-request dtab, whose rules come after
// (and so win over) those the interpreter has itself. The result is kept up to
// date until ctx ends. It contains no Alt. Bind does not block.
//
// Once a path was bound, to Neg too, it stays bound: a later failure leaves the
// last tree in place, as a stale State, and a later pending is not seen at all.
type Interpreter interface {
	Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[State[dtab.Tree[*Bound]]]
}
