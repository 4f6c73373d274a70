package namerdhttp

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// node is a node of a tree or of an explanation. Unknown fields are passed over.
type node struct {
	Type     naming.Kind `json:"type"`
	Path     *string     `json:"path"`
	Dentry   *dentry     `json:"dentry"`
	Delegate *node       `json:"delegate"`
	Alt      []*node     `json:"alt"`
	Union    []branch    `json:"union"`
	Message  string      `json:"message"`
	Name     string      `json:"name"`
	Bound    *bound      `json:"bound"`
	Tree     *node       `json:"tree"`
}

type dentry struct {
	Prefix dtab.Prefix `json:"prefix"`
	Dst    dtabTree    `json:"dst"`
}

// dtabTree is a tree in its text form.
type dtabTree struct{ dtab.Tree[dtab.Path] }

// UnmarshalText reads the text form.
func (t *dtabTree) UnmarshalText(text []byte) (err error) {
	t.Tree, err = dtab.ParseTree(string(text))
	return err
}

type branch struct {
	Weight float64 `json:"weight"`
	Tree   *node   `json:"tree"`
}

type bound struct {
	Addr *addr     `json:"addr"`
	ID   dtab.Path `json:"id"`
	Path dtab.Path `json:"path"` // the residual
}

// ParseTree reads a bound tree, whose bound names have no Addrs.
func ParseTree(b []byte) (dtab.Tree[*naming.Bound], error) {
	var n *node
	if err := json.Unmarshal(b, &n); err != nil {
		return dtab.Tree[*naming.Bound]{}, err
	}
	return n.tree()
}

// ParseDtab reads a list of rules.
func ParseDtab(b []byte) (dtab.Dtab, error) {
	var rules []dentry
	if err := json.Unmarshal(b, &rules); err != nil {
		return nil, err
	}
	var d dtab.Dtab
	for _, r := range rules {
		d = append(d, dtab.Dentry{Prefix: r.Prefix, Dst: r.Dst.Tree})
	}
	return d, nil
}

// ParseDelegation reads an explanation, whose bound names have no Addrs.
func ParseDelegation(b []byte) (naming.Delegation, error) {
	var n *node
	if err := json.Unmarshal(b, &n); err != nil {
		return naming.Delegation{}, err
	}
	return n.delegation()
}

var errNoNode = errors.New("a node is missing")

func unknownKind(k naming.Kind) error { return fmt.Errorf("a node of the unknown type %q", k) }

func (n *node) tree() (dtab.Tree[*naming.Bound], error) {
	var t dtab.Tree[*naming.Bound]
	if n == nil {
		return t, errNoNode
	}
	var err error
	switch n.Type {
	case naming.KindNeg:
	case naming.KindFail:
		t.Op = dtab.Fail
	case naming.KindEmpty:
		t.Op = dtab.Empty
	case naming.KindLeaf:
		if n.Bound == nil {
			return t, errors.New("a leaf without a bound name")
		}
		t = dtab.LeafOf(&naming.Bound{ID: n.Bound.ID, Residual: n.Bound.Path})
	case naming.KindAlt:
		t.Op = dtab.Alt
		for _, k := range n.Alt {
			var kid dtab.Tree[*naming.Bound]
			if kid, err = k.tree(); err != nil {
				return t, err
			}
			t.Kids = append(t.Kids, kid)
		}
	case naming.KindUnion:
		t.Op = dtab.Union
		for _, b := range n.Union {
			var kid dtab.Tree[*naming.Bound]
			if kid, err = b.Tree.tree(); err != nil {
				return t, err
			}
			if err := checkWeight(b.Weight); err != nil {
				return t, err
			}
			t.Kids = append(t.Kids, kid.Weighing(b.Weight))
		}
	default:
		err = unknownKind(n.Type)
	}
	return t, err
}

func checkWeight(w float64) error {
	if w < 0 {
		return fmt.Errorf("a branch has the weight %v, which is no share", w)
	}
	return nil
}

func (n *node) delegation() (naming.Delegation, error) {
	var d naming.Delegation
	if n == nil {
		return d, errNoNode
	}
	d.Kind = n.Type
	if err := n.header(&d); err != nil {
		return d, err
	}
	var kids []*node
	switch n.Type {
	case naming.KindNeg, naming.KindFail, naming.KindEmpty:
	case naming.KindException:
		d.Err = errors.New(n.Message)
	case naming.KindLeaf:
		if d.Bound == nil {
			return d, errors.New("a leaf without a bound name")
		}
	case naming.KindDelegate:
		kids = []*node{n.Delegate}
	case naming.KindTransformation:
		d.Name, kids = n.Name, []*node{n.Tree}
	case naming.KindAlt:
		kids = n.Alt
	case naming.KindUnion:
		for _, b := range n.Union {
			if err := checkWeight(b.Weight); err != nil {
				return d, err
			}
			kids = append(kids, b.Tree)
		}
	default:
		return d, unknownKind(n.Type)
	}
	for i, k := range kids {
		kid, err := k.delegation()
		if err != nil {
			return d, err
		}
		if n.Type == naming.KindUnion {
			kid.Weight = n.Union[i].Weight
		}
		d.Kids = append(d.Kids, kid)
	}
	return d, nil
}

// header reads what nodes of any kind may have.
func (n *node) header(d *naming.Delegation) (err error) {
	// A Neg shows ~ and a Fail ! where there was no path.
	if n.Path != nil && *n.Path != "~" && *n.Path != "!" {
		if d.Path, err = dtab.ParsePath(*n.Path); err != nil {
			return err
		}
	}
	if n.Dentry != nil {
		d.Dentry = &dtab.Dentry{Prefix: n.Dentry.Prefix, Dst: n.Dentry.Dst.Tree}
	}
	if n.Bound != nil && (n.Type == naming.KindLeaf || n.Type == naming.KindTransformation) {
		d.Bound = &naming.Bound{ID: n.Bound.ID, Residual: n.Bound.Path}
		if n.Bound.Addr != nil {
			d.Addr, err = n.Bound.Addr.state()
		}
	}
	return err
}
