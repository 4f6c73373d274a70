package namerd

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Delegate explains how a name is bound by the dtab of a namespace followed by
// local. It waits, until ctx ends, for what has not answered yet, and returns what
// there is together with the error then. The namespace "" is an empty dtab.
func (n *Namerd) Delegate(ctx context.Context, namespace string, local dtab.Dtab, name dtab.Path) (naming.Delegation, error) {
	n.explaining.Add(1)
	defer n.explaining.Add(-1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := n.bare
	if namespace != "" {
		var err error
		if in, err = n.scope(ctx, namespace); err != nil {
			return naming.Delegation{}, err
		}
	}
	return in.Delegate(ctx, local, name)
}

// DelegateTree explains a tree of names, leaf by leaf, as Delegate does.
func (n *Namerd) DelegateTree(ctx context.Context, namespace string, local dtab.Dtab, t dtab.Tree[dtab.Path]) (naming.Delegation, error) {
	var kind naming.Kind
	switch t.Op {
	case dtab.Leaf:
		return n.Delegate(ctx, namespace, local, t.Value)
	case dtab.Alt:
		kind = naming.KindAlt
	case dtab.Union:
		kind = naming.KindUnion
	case dtab.Fail:
		kind = naming.KindFail
	case dtab.Empty:
		kind = naming.KindEmpty
	default:
		kind = naming.KindNeg
	}
	d := naming.Delegation{Kind: kind}
	for _, k := range t.Kids {
		kid, err := n.DelegateTree(ctx, namespace, local, k)
		if err != nil {
			return naming.Delegation{}, err
		}
		kid.Weight = k.Weight
		d.Kids = append(d.Kids, kid)
	}
	return d, nil
}
