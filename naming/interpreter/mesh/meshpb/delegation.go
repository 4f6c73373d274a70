package meshpb

import (
	"errors"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// NewDelegation returns the message of d. Bound names without an id become Neg.
// Every node has a dentry, the root that of no rule, since the original's client
// wants one.
func NewDelegation(d naming.Delegation) *BoundDelegateTree {
	x := &BoundDelegateTree{Path: NewPath(d.Path)}
	rule := dtab.Nop()
	if d.Dentry != nil {
		rule = *d.Dentry
	}
	x.Dentry = NewDentry(rule)
	switch d.Kind {
	case naming.KindFail:
		x.Node = &BoundDelegateTree_Fail_{Fail: &BoundDelegateTree_Fail{}}
	case naming.KindEmpty:
		x.Node = &BoundDelegateTree_Empty_{Empty: &BoundDelegateTree_Empty{}}
	case naming.KindException:
		text := unexplained
		if d.Err != nil && d.Err.Error() != "" {
			text = d.Err.Error()
		}
		x.Node = &BoundDelegateTree_Exception{Exception: strings.ToValidUTF8(exceptionPrefix+text, "\uFFFD")}
	case naming.KindAlt:
		alt := &BoundDelegateTree_Alt{}
		for _, k := range d.Kids {
			alt.Trees = append(alt.Trees, NewDelegation(k))
		}
		x.Node = &BoundDelegateTree_Alt_{Alt: alt}
	case naming.KindUnion:
		union := &BoundDelegateTree_Union{}
		for _, k := range d.Kids {
			union.Trees = append(union.Trees, &BoundDelegateTree_Union_Weighted{Weight: &k.Weight, Tree: NewDelegation(k)})
		}
		x.Node = &BoundDelegateTree_Union_{Union: union}
	case naming.KindDelegate, naming.KindLeaf, naming.KindTransformation, naming.KindNeg:
		x.setOne(d)
	}
	if x.Node == nil {
		x.Node = &BoundDelegateTree_Neg_{Neg: &BoundDelegateTree_Neg{}}
	}
	return x
}

// setOne sets the node of a d that has a bound name or one kid, if it has.
func (x *BoundDelegateTree) setOne(d naming.Delegation) {
	var leaf *BoundDelegateTree_Leaf
	if d.Bound != nil && !d.Bound.ID.IsEmpty() {
		leaf = &BoundDelegateTree_Leaf{Id: NewPath(d.Bound.ID), Residual: NewPath(d.Bound.Residual)}
	}
	switch {
	case d.Kind == naming.KindLeaf && leaf != nil:
		x.Node = &BoundDelegateTree_Leaf_{Leaf: leaf}
	case d.Kind == naming.KindDelegate && len(d.Kids) > 0:
		x.Node = &BoundDelegateTree_Delegate{Delegate: NewDelegation(d.Kids[0])}
	case d.Kind == naming.KindTransformation && len(d.Kids) > 0:
		x.Node = &BoundDelegateTree_Transformation_{Transformation: &BoundDelegateTree_Transformation{
			Name: d.Name, Leaf: leaf, Tree: NewDelegation(d.Kids[0]),
		}}
	}
}

// Value returns the explanation that x stands for, whose bound names have no Addrs
// and are pending.
func (x *BoundDelegateTree) Value() (naming.Delegation, error) {
	var d naming.Delegation
	var err error
	if d.Path, err = x.GetPath().Value(); err != nil {
		return d, err
	}
	if err := x.dentry(&d); err != nil {
		return d, err
	}
	switch n := x.GetNode().(type) {
	case *BoundDelegateTree_Neg_:
		d.Kind = naming.KindNeg
	case *BoundDelegateTree_Fail_:
		d.Kind = naming.KindFail
	case *BoundDelegateTree_Empty_:
		d.Kind = naming.KindEmpty
	case *BoundDelegateTree_Exception:
		text := strings.TrimPrefix(n.Exception, exceptionPrefix)
		if text == "" {
			text = unexplained
		}
		d.Kind, d.Err = naming.KindException, errors.New(text)
	case *BoundDelegateTree_Leaf_:
		d.Kind = naming.KindLeaf
		d.Bound, err = bound(n.Leaf.GetId(), n.Leaf.GetResidual())
	case *BoundDelegateTree_Alt_:
		d.Kind = naming.KindAlt
		d.Kids, err = kids(n.Alt.GetTrees(), (*BoundDelegateTree).Value)
	case *BoundDelegateTree_Union_:
		d.Kind = naming.KindUnion
		d.Kids, err = kids(n.Union.GetTrees(), (*BoundDelegateTree_Union_Weighted).value)
	case *BoundDelegateTree_Delegate:
		d.Kind = naming.KindDelegate
		d.Kids, err = kids([]*BoundDelegateTree{n.Delegate}, (*BoundDelegateTree).Value)
	case *BoundDelegateTree_Transformation_:
		d.Kind, d.Name = naming.KindTransformation, n.Transformation.GetName()
		leaf := n.Transformation.GetLeaf()
		if d.Bound, err = bound(leaf.GetId(), leaf.GetResidual()); err == nil {
			d.Kids, err = kids([]*BoundDelegateTree{n.Transformation.GetTree()}, (*BoundDelegateTree).Value)
		}
	default:
		err = errNoNode
	}
	return d, err
}

// dentry sets the rule of d, if x has one.
func (x *BoundDelegateTree) dentry(d *naming.Delegation) error {
	// A transformation may come with an empty dentry, since the original's client wants
	// one that its server does not send.
	if x.GetDentry().GetDst() == nil && len(x.GetDentry().GetPrefix().GetElems()) == 0 {
		return nil
	}
	rule, err := x.GetDentry().Value()
	if err == nil && !rule.Equal(dtab.Nop()) {
		d.Dentry = &rule
	}
	return err
}

func (x *BoundDelegateTree_Union_Weighted) value() (naming.Delegation, error) {
	if err := checkWeight(x.GetWeight()); err != nil {
		return naming.Delegation{}, err
	}
	d, err := x.GetTree().Value()
	d.Weight = x.GetWeight()
	return d, err
}
