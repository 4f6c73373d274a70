package dtab

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
