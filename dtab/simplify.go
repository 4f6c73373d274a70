package dtab

// Simplify returns a tree of the same meaning without branches that cannot be
// reached: in an Alt, those that are Neg and those after a Fail; in a Union,
// those that are Neg or Fail. An Alt or a Union of one branch becomes that
// branch, and one of none becomes Neg. Nested Alts and nested Unions stay as
// they are. The weight of t itself is kept.
func Simplify[T any](t Tree[T]) Tree[T] {
	if t.Op != Alt && t.Op != Union {
		return t
	}
	if len(t.Kids) == 1 {
		return Simplify(t.Kids[0]).Weighing(t.Weight)
	}
	kids := make([]Tree[T], 0, len(t.Kids))
	for _, k := range t.Kids {
		k = Simplify(k)
		if k.Op == Neg || k.Op == Fail && t.Op == Union {
			continue
		}
		kids = append(kids, k)
		if k.Op == Fail {
			break
		}
	}
	switch len(kids) {
	case 0:
		return Tree[T]{Weight: t.Weight}
	case 1:
		return kids[0].Weighing(t.Weight)
	}
	t.Kids = kids
	return t
}
