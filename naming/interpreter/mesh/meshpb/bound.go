package meshpb

import (
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// NewBoundTree returns the message of t. Bound names without an id, which are not
// known to anybody else, become Neg.
func NewBoundTree(t dtab.Tree[*naming.Bound]) *BoundNameTree {
	switch t.Op {
	case dtab.Fail:
		return &BoundNameTree{Node: &BoundNameTree_Fail_{Fail: &BoundNameTree_Fail{}}}
	case dtab.Empty:
		return &BoundNameTree{Node: &BoundNameTree_Empty_{Empty: &BoundNameTree_Empty{}}}
	case dtab.Leaf:
		if t.Value == nil || t.Value.ID.IsEmpty() {
			break
		}
		leaf := &BoundNameTree_Leaf{Id: NewPath(t.Value.ID), Residual: NewPath(t.Value.Residual)}
		return &BoundNameTree{Node: &BoundNameTree_Leaf_{Leaf: leaf}}
	case dtab.Alt:
		alt := &BoundNameTree_Alt{}
		for _, k := range t.Kids {
			alt.Trees = append(alt.Trees, NewBoundTree(k))
		}
		return &BoundNameTree{Node: &BoundNameTree_Alt_{Alt: alt}}
	case dtab.Union:
		union := &BoundNameTree_Union{}
		for _, k := range t.Kids {
			union.Trees = append(union.Trees, &BoundNameTree_Union_Weighted{Weight: &k.Weight, Tree: NewBoundTree(k)})
		}
		return &BoundNameTree{Node: &BoundNameTree_Union_{Union: union}}
	case dtab.Neg:
	}
	return &BoundNameTree{Node: &BoundNameTree_Neg_{Neg: &BoundNameTree_Neg{}}}
}

// Value returns the tree that x stands for, whose bound names have no Addrs. A
// residual that is absent is the empty one; so is an id.
func (x *BoundNameTree) Value() (dtab.Tree[*naming.Bound], error) {
	var t dtab.Tree[*naming.Bound]
	var err error
	switch n := x.GetNode().(type) {
	case *BoundNameTree_Neg_:
	case *BoundNameTree_Fail_:
		t.Op = dtab.Fail
	case *BoundNameTree_Empty_:
		t.Op = dtab.Empty
	case *BoundNameTree_Leaf_:
		t.Op = dtab.Leaf
		t.Value, err = bound(n.Leaf.GetId(), n.Leaf.GetResidual())
	case *BoundNameTree_Alt_:
		t.Op = dtab.Alt
		t.Kids, err = kids(n.Alt.GetTrees(), (*BoundNameTree).Value)
	case *BoundNameTree_Union_:
		t.Op = dtab.Union
		t.Kids, err = kids(n.Union.GetTrees(), func(w *BoundNameTree_Union_Weighted) (dtab.Tree[*naming.Bound], error) {
			return weighing(w.GetTree().Value, w.GetWeight())
		})
	default:
		err = errNoNode
	}
	return t, err
}

func bound(id, residual *Path) (*naming.Bound, error) {
	i, err := id.Value()
	if err != nil {
		return nil, fmt.Errorf("the id of a bound name: %w", err)
	}
	r, err := residual.Value()
	if err != nil {
		return nil, fmt.Errorf("the residual of %s: %w", i, err)
	}
	return &naming.Bound{ID: i, Residual: r}, nil
}

// exceptionPrefix begins the text of every exception in an explanation.
const exceptionPrefix = "BoundDelegateTree Exception: "

// unexplained is the text of an exception that has none.
const unexplained = "No underlying exception message"
