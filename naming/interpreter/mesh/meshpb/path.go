package meshpb

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// errNoNode is why a tree means nothing.
var errNoNode = errors.New("a tree without a node")

// NewPath returns the message of p.
func NewPath(p dtab.Path) *Path {
	x := &Path{}
	for e := range p.Elems() {
		x.Elems = append(x.Elems, []byte(e))
	}
	return x
}

// Value returns the path that x stands for; nil is the empty one.
func (x *Path) Value() (dtab.Path, error) {
	elems := make([]string, len(x.GetElems()))
	for i, e := range x.GetElems() {
		elems[i] = string(e)
	}
	return dtab.PathOf(elems...)
}

// NewPathTree returns the message of t.
func NewPathTree(t dtab.Tree[dtab.Path]) *PathNameTree {
	switch t.Op {
	case dtab.Fail:
		return &PathNameTree{Node: &PathNameTree_Fail_{Fail: &PathNameTree_Fail{}}}
	case dtab.Empty:
		return &PathNameTree{Node: &PathNameTree_Empty_{Empty: &PathNameTree_Empty{}}}
	case dtab.Leaf:
		return &PathNameTree{Node: &PathNameTree_Leaf_{Leaf: &PathNameTree_Leaf{Id: NewPath(t.Value)}}}
	case dtab.Alt:
		alt := &PathNameTree_Alt{}
		for _, k := range t.Kids {
			alt.Trees = append(alt.Trees, NewPathTree(k))
		}
		return &PathNameTree{Node: &PathNameTree_Alt_{Alt: alt}}
	case dtab.Union:
		union := &PathNameTree_Union{}
		for _, k := range t.Kids {
			union.Trees = append(union.Trees, &PathNameTree_Union_Weighted{Weight: &k.Weight, Tree: NewPathTree(k)})
		}
		return &PathNameTree{Node: &PathNameTree_Union_{Union: union}}
	default:
		return &PathNameTree{Node: &PathNameTree_Neg_{Neg: &PathNameTree_Neg{}}}
	}
}

// Value returns the tree that x stands for.
func (x *PathNameTree) Value() (dtab.Tree[dtab.Path], error) {
	var t dtab.Tree[dtab.Path]
	var err error
	switch n := x.GetNode().(type) {
	case *PathNameTree_Neg_:
	case *PathNameTree_Fail_:
		t.Op = dtab.Fail
	case *PathNameTree_Empty_:
		t.Op = dtab.Empty
	case *PathNameTree_Leaf_:
		t.Op = dtab.Leaf
		t.Value, err = n.Leaf.GetId().Value()
	case *PathNameTree_Alt_:
		t.Op = dtab.Alt
		t.Kids, err = kids(n.Alt.GetTrees(), (*PathNameTree).Value)
	case *PathNameTree_Union_:
		t.Op = dtab.Union
		t.Kids, err = kids(n.Union.GetTrees(), func(w *PathNameTree_Union_Weighted) (dtab.Tree[dtab.Path], error) {
			return weighing(w.GetTree().Value, w.GetWeight())
		})
	default:
		err = errNoNode
	}
	return t, err
}

// kids returns the values of all of xs.
func kids[X, T any](xs []X, value func(X) (T, error)) ([]T, error) {
	out := make([]T, len(xs))
	for i, x := range xs {
		var err error
		if out[i], err = value(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// weighing returns the tree that value gives, as a branch with the given weight.
func weighing[T any](value func() (dtab.Tree[T], error), weight float64) (dtab.Tree[T], error) {
	if err := checkWeight(weight); err != nil {
		return dtab.Tree[T]{}, err
	}
	t, err := value()
	return t.Weighing(weight), err
}

func checkWeight(w float64) error {
	if w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
		return fmt.Errorf("a branch has the weight %v, which is no share", w)
	}
	return nil
}

// NewDtab returns the message of d.
func NewDtab(d dtab.Dtab) *Dtab {
	x := &Dtab{}
	for _, e := range d {
		x.Dentries = append(x.Dentries, NewDentry(e))
	}
	return x
}

// Value returns the dtab that x stands for; nil is the empty one.
func (x *Dtab) Value() (dtab.Dtab, error) {
	if len(x.GetDentries()) == 0 {
		return nil, nil
	}
	return kids(x.GetDentries(), (*Dtab_Dentry).Value)
}

// NewDentry returns the message of e.
func NewDentry(e dtab.Dentry) *Dtab_Dentry {
	prefix := &Dtab_Dentry_Prefix{}
	for i := range e.Prefix.Len() {
		elem := &Dtab_Dentry_Prefix_Elem{}
		if e.Prefix.Wildcard(i) {
			elem.Value = &Dtab_Dentry_Prefix_Elem_Wildcard_{Wildcard: &Dtab_Dentry_Prefix_Elem_Wildcard{}}
		} else {
			elem.Value = &Dtab_Dentry_Prefix_Elem_Label{Label: []byte(e.Prefix.Elem(i))}
		}
		prefix.Elems = append(prefix.Elems, elem)
	}
	return &Dtab_Dentry{Prefix: prefix, Dst: NewPathTree(e.Dst)}
}

// Value returns the rule that x stands for.
func (x *Dtab_Dentry) Value() (dtab.Dentry, error) {
	prefix, err := x.GetPrefix().Value()
	if err != nil {
		return dtab.Dentry{}, err
	}
	dst, err := x.GetDst().Value()
	if err != nil {
		return dtab.Dentry{}, fmt.Errorf("the rule for %s: %w", prefix, err)
	}
	return dtab.Dentry{Prefix: prefix, Dst: dst}, nil
}

// Value returns the prefix that x stands for; nil is the one that matches all.
func (x *Dtab_Dentry_Prefix) Value() (dtab.Prefix, error) {
	var text strings.Builder
	for _, e := range x.GetElems() {
		switch v := e.GetValue().(type) {
		case *Dtab_Dentry_Prefix_Elem_Wildcard_:
			text.WriteString("/*")
		case *Dtab_Dentry_Prefix_Elem_Label:
			label, err := dtab.PathOf(string(v.Label))
			if err != nil {
				return dtab.Prefix{}, err
			}
			text.WriteString(label.String())
		default:
			return dtab.Prefix{}, errors.New("an element of a prefix is neither a label nor a wildcard")
		}
	}
	if text.Len() == 0 {
		return dtab.Prefix{}, nil
	}
	return dtab.ParsePrefix(text.String())
}
