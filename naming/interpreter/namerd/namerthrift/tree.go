package namerthrift

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// NewBoundTree returns t as it is sent: numbers are given depth first, from 0 for
// the first branch of the root. Bound names without an id become Neg.
func NewBoundTree(t dtab.Tree[*naming.Bound]) *BoundTree {
	x := &BoundTree{Nodes: map[int32]*BoundNode{}}
	x.Root = x.add(t)
	return x
}

// add returns the node of t and adds those below it.
func (x *BoundTree) add(t dtab.Tree[*naming.Bound]) *BoundNode {
	switch t.Op {
	case dtab.Fail:
		return &BoundNode{Fail: &Void{}}
	case dtab.Empty:
		return &BoundNode{Empty: &Void{}}
	case dtab.Leaf:
		if t.Value != nil && !t.Value.ID.IsEmpty() {
			return &BoundNode{Leaf: newBoundName(t.Value)}
		}
	case dtab.Alt:
		alt := []int32{}
		for _, k := range t.Kids {
			alt = append(alt, x.number(k))
		}
		return &BoundNode{Alt: &alt}
	case dtab.Union:
		union := []WeightedNodeID{}
		for _, k := range t.Kids {
			union = append(union, WeightedNodeID{Weight: k.Weight, ID: x.number(k)})
		}
		return &BoundNode{Weighted: &union}
	case dtab.Neg:
	}
	return &BoundNode{Neg: &Void{}}
}

// number adds t and returns its number.
func (x *BoundTree) number(t dtab.Tree[*naming.Bound]) int32 {
	id := int32(len(x.Nodes)) //nolint:gosec // trees are not that large
	x.Nodes[id] = nil         // takes the number
	x.Nodes[id] = x.add(t)
	return id
}

// Value returns the tree that x stands for, whose bound names have no Addrs.
func (x *BoundTree) Value() (dtab.Tree[*naming.Bound], error) {
	if x == nil || x.Root == nil {
		return dtab.Tree[*naming.Bound]{}, errNoNode
	}
	r := &reader[BoundNode, dtab.Tree[*naming.Bound]]{nodes: x.Nodes}
	r.read = func(n *BoundNode) (dtab.Tree[*naming.Bound], error) { return readBound(n, r.branches) }
	return r.read(x.Root)
}

// readBound reads a node, with branches for what is below it.
func readBound(n *BoundNode, branches func([]int32) ([]dtab.Tree[*naming.Bound], error)) (t dtab.Tree[*naming.Bound], err error) {
	switch {
	case !one(n.Neg != nil, n.Empty != nil, n.Fail != nil, n.Leaf != nil, n.Alt != nil, n.Weighted != nil):
		err = errNothing
	case n.Neg != nil:
	case n.Empty != nil:
		t.Op = dtab.Empty
	case n.Fail != nil:
		t.Op = dtab.Fail
	case n.Leaf != nil:
		t.Op = dtab.Leaf
		t.Value, err = n.Leaf.Value()
	case n.Alt != nil:
		t.Op = dtab.Alt
		t.Kids, err = branches(*n.Alt)
	case n.Weighted != nil:
		t.Op = dtab.Union
		var ids []int32
		var weights []float64
		if ids, weights, err = split(*n.Weighted); err != nil {
			return t, err
		}
		t.Kids, err = branches(ids)
		for i := range t.Kids {
			t.Kids[i].Weight = weights[i]
		}
	}
	return t, err
}
