package dtab

// Eval returns the leaves that t stands for, each once, in the order of their
// first appearance; weights play no part. It reports false if t has no value:
// it is Neg, Fail, or comes down to one of them. To have a value that is the
// empty set, as Empty does, is something else.
func Eval[T comparable](t Tree[T]) (leaves []T, ok bool) {
	seen := make(map[T]struct{})
	op := eval(t, func(v T) {
		if _, dup := seen[v]; !dup {
			seen[v] = struct{}{}
			leaves = append(leaves, v)
		}
	})
	return leaves, op == Leaf
}

// eval calls add for every leaf of the value of t, if it has one, and returns
// what t comes down to: Leaf for a value, else Neg or Fail.
func eval[T any](t Tree[T], add func(T)) Op {
	switch t.Op {
	case Fail:
		return Fail
	case Empty:
		return Leaf
	case Leaf:
		add(t.Value)
		return Leaf
	case Alt:
		for _, k := range t.Kids {
			if op := eval(k, add); op != Neg {
				return op
			}
		}
	case Union:
		if len(t.Kids) == 1 {
			return eval(t.Kids[0], add) // a Fail too, as Simplify has it
		}
		sum := Neg
		for _, k := range t.Kids {
			if eval(k, add) == Leaf {
				sum = Leaf
			}
		}
		return sum
	case Neg:
	}
	return Neg
}
