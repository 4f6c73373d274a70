package namerthrift

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// NewPath returns p as it is sent.
func NewPath(p dtab.Path) Path {
	x := Path{}
	for e := range p.Elems() {
		x = append(x, []byte(e))
	}
	return x
}

// Value returns the path that x stands for.
func (x Path) Value() (dtab.Path, error) {
	elems := make([]string, len(x))
	for i, e := range x {
		elems[i] = string(e)
	}
	return dtab.PathOf(elems...)
}

// Value returns the bound name that x stands for, without Addrs.
func (x *BoundName) Value() (*naming.Bound, error) {
	id, err := x.ID.Value()
	if err != nil {
		return nil, fmt.Errorf("the id of a bound name: %w", err)
	}
	residual, err := x.Residual.Value()
	if err != nil {
		return nil, fmt.Errorf("the residual of %s: %w", id, err)
	}
	return &naming.Bound{ID: id, Residual: residual}, nil
}

func newBoundName(b *naming.Bound) *BoundName {
	return &BoundName{ID: NewPath(b.ID), Residual: NewPath(b.Residual)}
}

const (
	// maxNodes is how many nodes a tree may have. Branches are numbers, and hostile
	// numbers may make a tree of any size of a few nodes.
	maxNodes = 1 << 18
	maxDepth = 1000
)

var (
	errTooLarge = fmt.Errorf("a tree of more than %d nodes, or deeper than %d", maxNodes, maxDepth)
	errNoNode   = errors.New("a tree without a root")
	errNothing  = errors.New("a node that says nothing, or more than one thing")
)

// reader reads a tree of nodes with numbers.
type reader[N any] struct {
	nodes map[int32]*N
	spent int
	depth int
}

// enter begins a node, which leave ends.
func (r *reader[N]) enter() error {
	if r.spent++; r.spent > maxNodes || r.depth >= maxDepth {
		return errTooLarge
	}
	r.depth++
	return nil
}

func (r *reader[N]) leave() { r.depth-- }

// node returns the node with a number.
func (r *reader[N]) node(id int32) (*N, error) {
	n := r.nodes[id]
	if n == nil {
		return nil, fmt.Errorf("there is no node %d", id)
	}
	return n, nil
}

// branches reads the nodes with the given numbers.
func branches[N, T any](r *reader[N], ids []int32, read func(*N) (T, error)) ([]T, error) {
	kids := make([]T, 0, min(len(ids), 64))
	for _, id := range ids {
		n, err := r.node(id)
		if err != nil {
			return nil, err
		}
		k, err := read(n)
		if err != nil {
			return nil, err
		}
		kids = append(kids, k)
	}
	return kids, nil
}

// split takes weighted branches apart.
func split(ws []WeightedNodeID) (ids []int32, weights []float64, err error) {
	for _, w := range ws {
		if w.Weight < 0 || math.IsNaN(w.Weight) || math.IsInf(w.Weight, 0) {
			return nil, nil, fmt.Errorf("a branch has the weight %v, which is no share", w.Weight)
		}
		ids = append(ids, w.ID)
		weights = append(weights, w.Weight)
	}
	return ids, weights, nil
}

// one reports whether exactly one of the given alternatives is set.
func one(set ...bool) bool {
	n := 0
	for _, s := range set {
		if s {
			n++
		}
	}
	return n == 1
}
