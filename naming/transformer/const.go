package transformer

import (
	"context"

	"github.com/weft-mesh/weft/naming"
)

// Const is io.l5d.const: every name is bound to what one path is bound to, whatever
// the name itself is bound to, if to anything.
type Const struct{ fixedPath }

// NewConst returns the transformer. b, which binds the path, is not closed with it.
func NewConst(c PathConfig, b Binder) (*Const, error) {
	f, err := newFixedPath("io.l5d.const", c, b)
	if err != nil {
		return nil, err
	}
	return &Const{f}, nil
}

// Transform implements Transformer. The result does not depend on src.
func (c *Const) Transform(ctx context.Context, _ Bound) Bound { return c.bind(ctx) }

// Explain implements Transformer. The whole explanation becomes a transformation,
// since nothing in it matters.
func (c *Const) Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	into, err := c.explain(ctx)
	t := naming.Delegation{
		Kind: naming.KindTransformation, Path: d.Path, Dentry: d.Dentry, Name: c.kind, Kids: []naming.Delegation{into},
		Note: "all names are bound to " + c.path.String() + ", whatever the dtab and the namers say",
	}
	if d.Kind == naming.KindLeaf {
		t.Bound, t.Addr = d.Bound, d.Addr
	}
	return t, err
}
