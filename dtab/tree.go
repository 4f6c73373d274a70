package dtab

import "slices"

// Op is the kind of a Tree node.
type Op uint8

// The kinds of node. The zero Op is Neg, so that the zero Tree says "no such
// name".
const (
	Neg   Op = iota // no such name: failover goes on past it
	Fail            // a hard stop: no failover past it
	Empty           // exists and has no members: failover stops here
	Leaf            // a value
	Alt             // ordered failover: the first kid that is not negative
	Union           // a weighted split over the kids
)

// Tree is a name tree. Value is meaningful in a Leaf only, Kids in an Alt or a
// Union only. Weight is the node's share in the Union that it is a kid of and
// has no meaning elsewhere.
type Tree[T any] struct {
	Op     Op
	Value  T
	Kids   []Tree[T]
	Weight float64
}

// LeafOf returns a Leaf that holds v.
func LeafOf[T any](v T) Tree[T] { return Tree[T]{Op: Leaf, Value: v} }

// AltOf returns an Alt of the given branches, in order of preference.
func AltOf[T any](kids ...Tree[T]) Tree[T] { return Tree[T]{Op: Alt, Kids: kids} }

// UnionOf returns a Union of the given branches, which carry their weights.
func UnionOf[T any](kids ...Tree[T]) Tree[T] { return Tree[T]{Op: Union, Kids: kids} }

// Weighing returns t with the given weight, for use in a Union.
func (t Tree[T]) Weighing(weight float64) Tree[T] {
	t.Weight = weight
	return t
}

// Map returns a tree of the same shape and weights with f applied to every leaf.
func Map[T, U any](t Tree[T], f func(T) U) Tree[U] {
	u := Tree[U]{Op: t.Op, Weight: t.Weight}
	switch t.Op {
	case Leaf:
		u.Value = f(t.Value)
	case Alt, Union:
		u.Kids = make([]Tree[U], len(t.Kids))
		for i, k := range t.Kids {
			u.Kids[i] = Map(k, f)
		}
	case Neg, Fail, Empty:
	}
	return u
}

// Equal reports whether a and b have the same shape, weights and leaves. What
// has no meaning in a node is not looked at.
func Equal[T comparable](a, b Tree[T]) bool {
	return EqualFunc(a, b, func(x, y T) bool { return x == y })
}

// EqualFunc is Equal with leaves compared by eq.
func EqualFunc[T any](a, b Tree[T], eq func(T, T) bool) bool {
	if a.Op != b.Op {
		return false
	}
	switch a.Op {
	case Leaf:
		return eq(a.Value, b.Value)
	case Alt, Union:
		return slices.EqualFunc(a.Kids, b.Kids, func(x, y Tree[T]) bool {
			return (a.Op == Alt || x.Weight == y.Weight) && EqualFunc(x, y, eq)
		})
	case Neg, Fail, Empty:
	}
	return true
}
