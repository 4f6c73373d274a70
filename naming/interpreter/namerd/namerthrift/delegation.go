package namerthrift

import (
	"errors"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// transformerName stands for the names of transformers, which are not sent.
const transformerName = "transformer"

// NewPathLeaf returns the question what becomes of p.
func NewPathLeaf(p dtab.Path) *DelegateTree {
	path := NewPath(p)
	return &DelegateTree{
		Root:  &DelegateNode{Path: path, Dentry: dtab.Nop().String(), Contents: &DelegateContents{PathLeaf: &path}},
		Nodes: map[int32]*DelegateNode{},
	}
}

// NewDelegateTree returns d as it is sent. Bound names without an id become Neg.
func NewDelegateTree(d naming.Delegation) *DelegateTree {
	x := &DelegateTree{Nodes: map[int32]*DelegateNode{}}
	x.Root = x.add(d)
	return x
}

func (x *DelegateTree) add(d naming.Delegation) *DelegateNode {
	rule := dtab.Nop()
	if d.Dentry != nil {
		rule = *d.Dentry
	}
	n := &DelegateNode{Path: NewPath(d.Path), Dentry: rule.String(), Contents: &DelegateContents{}}
	bound := d.Bound != nil && !d.Bound.ID.IsEmpty()
	switch c := n.Contents; {
	case d.Kind == naming.KindException:
		text := ""
		if d.Err != nil {
			text = d.Err.Error()
		}
		c.Error = &text
	case d.Kind == naming.KindEmpty:
		c.Empty = &Void{}
	case d.Kind == naming.KindFail:
		c.Fail = &Void{}
	case d.Kind == naming.KindLeaf && bound:
		c.BoundLeaf = newBoundName(d.Bound)
	case d.Kind == naming.KindDelegate && len(d.Kids) > 0:
		id := x.number(d.Kids[0])
		c.Delegate = &id
	case d.Kind == naming.KindTransformation && len(d.Kids) > 0 && bound:
		c.Transformation = &Transformation{Value: newBoundName(d.Bound), Tree: x.number(d.Kids[0])}
	case d.Kind == naming.KindAlt:
		alt := []int32{}
		for _, k := range d.Kids {
			alt = append(alt, x.number(k))
		}
		c.Alt = &alt
	case d.Kind == naming.KindUnion:
		union := []WeightedNodeID{}
		for _, k := range d.Kids {
			union = append(union, WeightedNodeID{Weight: k.Weight, ID: x.number(k)})
		}
		c.Weighted = &union
	default:
		c.Neg = &Void{}
	}
	return n
}

func (x *DelegateTree) number(d naming.Delegation) int32 {
	id := int32(len(x.Nodes)) //nolint:gosec // trees are not that large
	x.Nodes[id] = nil         // takes the number
	x.Nodes[id] = x.add(d)
	return id
}

// Value returns the explanation that x stands for, whose bound names have no Addrs
// and are pending.
func (x *DelegateTree) Value() (naming.Delegation, error) {
	if x == nil || x.Root == nil {
		return naming.Delegation{}, errNoNode
	}
	r := &reader[DelegateNode, naming.Delegation]{nodes: x.Nodes}
	r.read = func(n *DelegateNode) (naming.Delegation, error) { return readDelegate(n, r.branches) }
	return r.read(x.Root)
}

// readDelegate reads a node, with branches for what is below it.
func readDelegate(n *DelegateNode, branches func([]int32) ([]naming.Delegation, error)) (d naming.Delegation, err error) {
	if d.Path, err = n.Path.Value(); err != nil {
		return d, err
	}
	if n.Dentry != "" {
		rule, err := dtab.ParseDentry(n.Dentry)
		if err != nil {
			return d, fmt.Errorf("the rule of %s: %w", d.Path, err)
		}
		if !rule.Equal(dtab.Nop()) {
			d.Dentry = &rule
		}
	}
	return n.Contents.complete(d, branches)
}

// complete adds to d what the node is.
func (x *DelegateContents) complete(d naming.Delegation, branches func([]int32) ([]naming.Delegation, error)) (naming.Delegation, error) {
	if x == nil || !one(x.Error != nil, x.Empty != nil, x.Fail != nil, x.Neg != nil, x.Delegate != nil, x.BoundLeaf != nil,
		x.PathLeaf != nil, x.Alt != nil, x.Weighted != nil, x.Transformation != nil) {
		return d, errNothing
	}
	var ids []int32
	var weights []float64
	var err error
	switch {
	case x.Error != nil:
		d.Kind, d.Err = naming.KindException, errors.New(*x.Error)
	case x.Empty != nil:
		d.Kind = naming.KindEmpty
	case x.Fail != nil:
		d.Kind = naming.KindFail
	case x.Neg != nil:
		d.Kind = naming.KindNeg
	case x.BoundLeaf != nil:
		d.Kind = naming.KindLeaf
		d.Bound, err = x.BoundLeaf.Value()
	case x.PathLeaf != nil:
		d.Kind, d.Err = naming.KindException, errors.New("namerd left the name as it is")
	case x.Delegate != nil:
		d.Kind, ids = naming.KindDelegate, []int32{*x.Delegate}
	case x.Transformation != nil:
		d.Kind, d.Name, ids = naming.KindTransformation, transformerName, []int32{x.Transformation.Tree}
		if x.Transformation.Value == nil {
			return d, errNothing
		}
		d.Bound, err = x.Transformation.Value.Value()
	case x.Alt != nil:
		d.Kind, ids = naming.KindAlt, *x.Alt
	case x.Weighted != nil:
		d.Kind = naming.KindUnion
		ids, weights, err = split(*x.Weighted)
	}
	if err != nil {
		return d, err
	}
	kids, err := branches(ids)
	if err != nil {
		return d, err
	}
	if len(ids) > 0 {
		d.Kids = kids
	}
	for i, w := range weights {
		d.Kids[i].Weight = w
	}
	return d, nil
}
