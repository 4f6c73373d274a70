package namerd

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// question is a name to be bound: what proxies that ask the same share.
type question struct {
	namespace string
	local     string // a dtab in its canonical form
	name      dtab.Path
}

// String names the question for the status of its watch.
func (q question) String() string {
	if q.local == "" {
		return "bind " + q.name.String() + " in " + q.namespace
	}
	return "bind " + q.name.String() + " in " + q.namespace + " with " + q.local
}

// Binding is what a name is bound to.
type Binding struct {
	Tree dtab.Tree[*naming.Bound]

	// Revision is the place in the store's writes that Tree was bound by: a Binding with
	// the same or a later one is no step back.
	Revision Revision
}

// Bind binds a name by the dtab of a namespace followed by local, whose rules win,
// and keeps it bound until ctx ends. It does not block. The value changes when the
// shape of the tree does, or the revision.
func (n *Namerd) Bind(ctx context.Context, namespace string, local dtab.Dtab, name dtab.Path) weft.Source[naming.State[Binding]] {
	return n.bindings.Observe(ctx, question{namespace, local.Exact(), name})
}

func (n *Namerd) watchBinding(ctx context.Context, q question, set func(naming.State[Binding])) error {
	local, err := dtab.Parse(q.local)
	if err != nil {
		return err
	}
	in, err := n.scope(ctx, q.namespace)
	if err != nil {
		return err
	}
	bound := in.Bind(ctx, local, q.name)
	for {
		t, changed := bound.Load()
		set(naming.MapState(t, func(tree dtab.Tree[*naming.Bound]) Binding {
			return Binding{Tree: tree, Revision: revisionOf(t.Version)}
		}))
		if err := naming.Any(ctx, []<-chan struct{}{changed}); err != nil {
			return err
		}
	}
}
