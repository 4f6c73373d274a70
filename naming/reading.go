package naming

import (
	"github.com/weft-mesh/weft/dtab"
)

// reading computes what a path is bound to from what is known now: one descent
// by ordinary recursion. The semantics are those of Finagle's Namer.bind.
type reading struct {
	*lookups
	index     *dtab.Index
	local     dtab.Dtab
	maxDepth  int
	oldLeaves map[weighing]*Bound // weighed ones of the reading before
	leaves    map[weighing]*Bound // and of this one
}

// outcome is what a branch is bound to.
type outcome = State[dtab.Tree[*Bound]]

// weight is that of the innermost union branch around a leaf, if there is one.
type weight struct {
	w   float64
	set bool
}

// path binds a path after depth look-ups.
func (r *reading) path(p dtab.Path, depth int, w weight) outcome {
	if !r.spend() {
		return Failed[dtab.Tree[*Bound]](ErrTooWide)
	}
	// A rule that says "~" and nothing else does not stop the namers: the dtab's
	// answer is the same as if it had no rule. Two such rules do, they make an Alt.
	// Users depend on both.
	if t := r.index.LookupWith(r.local, p); t.Op != dtab.Neg {
		return bindTree(r, t, depth+1, w, r.path)
	}
	a := r.resolve(p, nil)
	if !a.Known {
		return outcome{Err: a.Err}
	}
	return bindTree(r, a.Value, depth+1, w, r.leaf)
}

// leaf binds a leaf of a namer's answer.
func (r *reading) leaf(n Name, depth int, w weight) outcome {
	if n.Bound == nil {
		return r.path(n.Path, depth, w)
	}
	return Ok(dtab.LeafOf(r.weigh(n.Bound, w)))
}

// bindTree binds a tree whose leaves leaf binds.
func bindTree[T any](r *reading, t dtab.Tree[T], depth int, w weight, leaf func(T, int, weight) outcome) outcome {
	if depth > r.maxDepth {
		return Failed[dtab.Tree[*Bound]](tooDeep(r.maxDepth))
	}
	switch t.Op {
	case dtab.Leaf:
		return leaf(t.Value, depth, w)
	case dtab.Alt:
		for _, k := range t.Kids {
			// Failover is for names that do not exist. Waiting for a branch that is
			// pending, or failing with one that failed, keeps traffic from moving
			// somewhere else because discovery has a hiccup.
			if o := bindTree(r, k, depth, w, leaf); !o.Known || o.Value.Op != dtab.Neg {
				return o
			}
		}
		return Ok(dtab.Tree[*Bound]{})
	case dtab.Union:
		return bindUnion(r, t.Kids, depth, leaf)
	default:
		return Ok(dtab.Tree[*Bound]{Op: t.Op})
	}
}

// bindUnion binds the branches of a union. Those that are pending or have failed
// are left out as long as there is one that is neither; if there is none, the
// union failed if any of them did.
func bindUnion[T any](r *reading, kids []dtab.Tree[T], depth int, leaf func(T, int, weight) outcome) outcome {
	var known []dtab.Tree[*Bound]
	var failed error
	for _, k := range kids {
		o := bindTree(r, k, depth, weight{k.Weight, true}, leaf)
		switch {
		case o.Known:
			known = append(known, o.Value.Weighing(k.Weight))
		case failed == nil:
			failed = o.Err
		}
	}
	switch {
	case len(known) == 0 && len(kids) > 0:
		return outcome{Err: failed}
	case len(known) == 0:
		return Ok(dtab.Tree[*Bound]{})
	}
	return Ok(dtab.Simplify(dtab.UnionOf(known...)))
}

// weighing identifies a bound name below a union.
type weighing struct {
	b *Bound
	w float64
}

// weigh returns b with the weight of its branch noted in the metadata of its
// endpoints, where introspection shows it. The result is the same for the same
// branch in consecutive readings.
func (r *reading) weigh(b *Bound, w weight) *Bound {
	if !w.set {
		return b
	}
	key := weighing{b, w.w}
	v := r.leaves[key]
	if v == nil {
		if v = r.oldLeaves[key]; v == nil {
			v = weighted(b, w.w)
		}
		if r.leaves == nil {
			r.leaves = map[weighing]*Bound{}
		}
		r.leaves[key] = v
	}
	return v
}
