package thriftapi

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

const (
	// maxNodes and maxDepth bound the tree of names that is to be explained. Branches
	// are numbers, which may lead to the same nodes over and over.
	maxNodes = 1000
	maxDepth = 100
)

var (
	errEmptyPath = errors.New("empty path")
	errNoNode    = errors.New("delegation has a node that there is not, or that says nothing")
	errTooLarge  = fmt.Errorf("delegation of more than %d nodes, or deeper than %d", maxNodes, maxDepth)
	errBoundLeaf = errors.New("delegation cannot accept bound names")
	errTransform = errors.New("delegation cannot accept transformations")
	errException = errors.New("delegation cannot accept errors")
)

// path reads a name, which must not be empty.
func path(x namerthrift.Path) (dtab.Path, error) {
	if len(x) == 0 {
		return dtab.Path{}, errEmptyPath
	}
	return x.Value()
}

// question reads the tree of names that a request for an explanation is about.
func question(x *namerthrift.DelegateTree) (dtab.Tree[dtab.Path], error) {
	if x == nil {
		return dtab.Tree[dtab.Path]{}, errNoNode
	}
	q := &questionReader{nodes: x.Nodes}
	return q.read(x.Root, 0)
}

// questionReader reads nodes with numbers into a tree.
type questionReader struct {
	nodes map[int32]*namerthrift.DelegateNode
	spent int // nodes so far, as often as they occur
}

func (q *questionReader) read(n *namerthrift.DelegateNode, depth int) (t dtab.Tree[dtab.Path], err error) {
	if q.spent++; q.spent > maxNodes || depth > maxDepth {
		return t, errTooLarge
	}
	if n == nil || n.Contents == nil {
		return t, errNoNode
	}
	switch c := n.Contents; {
	case c.PathLeaf != nil:
		t.Op = dtab.Leaf
		t.Value, err = c.PathLeaf.Value()
	case c.Neg != nil:
	case c.Fail != nil:
		t.Op = dtab.Fail
	case c.Empty != nil:
		t.Op = dtab.Empty
	case c.Delegate != nil:
		return q.read(q.nodes[*c.Delegate], depth+1)
	case c.Alt != nil:
		t.Op = dtab.Alt
		for _, id := range *c.Alt {
			kid, err := q.read(q.nodes[id], depth+1)
			if err != nil {
				return t, err
			}
			t.Kids = append(t.Kids, kid)
		}
	case c.Weighted != nil:
		t.Op = dtab.Union
		for _, w := range *c.Weighted {
			kid, err := q.read(q.nodes[w.ID], depth+1)
			if err == nil && (w.Weight < 0 || math.IsNaN(w.Weight) || math.IsInf(w.Weight, 0)) {
				err = fmt.Errorf("a branch has the weight %v, which is no share", w.Weight)
			}
			if err != nil {
				return t, err
			}
			t.Kids = append(t.Kids, kid.Weighing(w.Weight))
		}
	case c.BoundLeaf != nil:
		err = errBoundLeaf
	case c.Transformation != nil:
		err = errTransform
	case c.Error != nil:
		err = errException
	default:
		err = errNoNode
	}
	return t, err
}
