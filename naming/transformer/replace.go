package transformer

import (
	"context"
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Replace is io.l5d.replace: every endpoint set that a name is bound to is replaced by
// what one path is bound to. Names that are bound to none stay so.
type Replace struct {
	fixedPath
	joins *joins
}

// NewReplace returns the transformer, which is an io.Closer. b, which binds the path,
// is not closed with it.
func NewReplace(c PathConfig, b Binder) (*Replace, error) {
	f, err := newFixedPath("io.l5d.replace", c, b)
	if err != nil {
		return nil, err
	}
	return &Replace{f, newJoins()}, nil
}

// Transform implements Transformer. It costs a goroutine per name if both the name
// and the path can change.
func (r *Replace) Transform(ctx context.Context, src Bound) Bound {
	return join(ctx, r.joins, src, r.bind(ctx), func(s, by State) State {
		switch {
		case !s.Known, !hasLeaf(s.Value):
			return s
		case !by.Known:
			return by
		case s.Err == nil:
			s.Err = by.Err
		}
		s.Value = dtab.Simplify(replaceLeaves(s.Value, by.Value))
		return s
	})
}

// Explain implements Transformer.
func (r *Replace) Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	into, err := r.explain(ctx)
	return d.MapLeaves(func(old naming.Delegation) naming.Delegation { return transformation(old, r.kind, into) }), err
}

// Close ends what keeps names up to date and waits for it.
func (r *Replace) Close() error {
	r.joins.close()
	return nil
}

func hasLeaf(t dtab.Tree[*naming.Bound]) bool {
	return t.Op == dtab.Leaf || slices.ContainsFunc(t.Kids, hasLeaf)
}

// replaceLeaves puts by in the place of the leaves of t, with their weights.
func replaceLeaves(t, by dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] {
	switch t.Op {
	case dtab.Leaf:
		return by.Weighing(t.Weight)
	case dtab.Alt, dtab.Union:
		kids := make([]dtab.Tree[*naming.Bound], len(t.Kids))
		for i, k := range t.Kids {
			kids[i] = replaceLeaves(k, by)
		}
		t.Kids = kids
	case dtab.Neg, dtab.Fail, dtab.Empty:
	}
	return t
}
