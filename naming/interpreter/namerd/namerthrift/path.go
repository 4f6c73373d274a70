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
	maxNodes = 1 << 16
	maxDepth = 1000
)

var (
	errTooLarge = fmt.Errorf("a tree of more than %d nodes, or deeper than %d", maxNodes, maxDepth)
	errNoNode   = errors.New("a tree without a root")
	errNothing  = errors.New("a node that says nothing, or more than one thing")
)

// reader reads a tree of nodes N with numbers into a T. A node that is a branch of
// several others is read once.
type reader[N, T any] struct {
	nodes map[int32]*N
	read  func(*N) (T, error)
	known map[int32]known[T]
	spent int // nodes so far, as often as they occur
	depth int
}

// known is a node that was read.
type known[T any] struct {
	v    T
	size int
}

// branches reads the nodes with the given numbers.
func (r *reader[N, T]) branches(ids []int32) ([]T, error) {
	kids := make([]T, 0, min(len(ids), 64))
	for _, id := range ids {
		k, err := r.branch(id)
		if err != nil {
			return nil, err
		}
		kids = append(kids, k)
	}
	return kids, nil
}

func (r *reader[N, T]) branch(id int32) (T, error) {
	before, ok := r.known[id]
	if !ok {
		n := r.nodes[id]
		if n == nil {
			return before.v, fmt.Errorf("there is no node %d", id)
		}
		if r.depth++; r.depth > maxDepth {
			return before.v, errTooLarge
		}
		spent := r.spent
		v, err := r.read(n)
		if err != nil {
			return v, err
		}
		r.depth--
		before = known[T]{v, r.spent - spent + 1}
		r.spent = spent
		if r.known == nil {
			r.known = map[int32]known[T]{}
		}
		r.known[id] = before
	}
	if r.spent += before.size; r.spent > maxNodes {
		return before.v, errTooLarge
	}
	return before.v, nil
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
