package transformer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// PathConfig is the configuration of io.l5d.const and io.l5d.replace.
type PathConfig struct {
	// Path is a name that needs no dtab: one of a namer, under /#, or of the global
	// namer, under /$. It is required.
	Path dtab.Path `yaml:"path"`

	// Prefix is the whole prefix of the ids. The empty path is /%/ and the kind.
	Prefix dtab.Path `yaml:"-"`
}

// Binder binds the path of Const and Replace. *naming.Default is one.
type Binder interface {
	naming.Interpreter
	naming.Delegator
}

// fixedPath is what Const and Replace have in common: the binding of a path.
type fixedPath struct {
	kind   string
	path   dtab.Path
	prefix dtab.Path
	binder Binder
}

func newFixedPath(kind string, c PathConfig, b Binder) (fixedPath, error) {
	switch {
	case c.Path.IsEmpty():
		return fixedPath{}, fmt.Errorf("transformer: %s: path: is required", kind)
	case b == nil:
		return fixedPath{}, errors.New("transformer: " + kind + ": there is nothing that binds its path")
	}
	prefix, err := prefixOr(c.Prefix, kind)
	return fixedPath{kind: kind, path: c.Path, prefix: prefix, binder: b}, err
}

// bind returns the binding of the path, with its leaves renamed.
func (f fixedPath) bind(ctx context.Context) Bound {
	return naming.Derive(f.binder.Bind(ctx, nil, f.path), func(s State) State {
		return naming.MapState(s, func(t dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] {
			whole := t.Op == dtab.Leaf
			return dtab.Map(t, func(b *naming.Bound) *naming.Bound { return f.leaf(b, whole) })
		})
	})
}

// leaf returns a bound name under the transformer's prefix. If it is all that the
// path is bound to, its id is made of the path, as in Linkerd; of several leaves each
// keeps its own, since an id stands for one endpoint set.
func (f fixedPath) leaf(b *naming.Bound, whole bool) *naming.Bound {
	id := b.ID
	if whole {
		id = f.path
	}
	return &naming.Bound{ID: f.prefix.Concat(id), Residual: b.Residual, Addrs: b.Addrs}
}

// explain returns the explanation of the path, with its leaves renamed.
func (f fixedPath) explain(ctx context.Context) (naming.Delegation, error) {
	d, err := f.binder.Delegate(ctx, nil, f.path)
	if d.Kind == "" {
		d = naming.Delegation{Kind: naming.KindException, Path: f.path, Err: err}
	}
	whole := leavesIn(d) == 1 && !branches(d)
	return d.MapLeaves(func(l naming.Delegation) naming.Delegation {
		if l.Bound != nil {
			l.Bound = f.leaf(l.Bound, whole)
		}
		return l
	}), err
}

func leavesIn(d naming.Delegation) int {
	if d.Kind == naming.KindLeaf {
		return 1
	}
	n := 0
	for _, k := range d.Kids {
		n += leavesIn(k)
	}
	return n
}

// branches reports whether d has a split, whose leaves stay several in a bound tree.
func branches(d naming.Delegation) bool {
	return d.Kind == naming.KindUnion || slices.ContainsFunc(d.Kids, branches)
}
