package naming

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Fixed returns a bound name whose endpoints never change, for namers with
// static answers and for tests.
func Fixed(id, residual dtab.Path, set weft.EndpointSet) Name {
	return Following(id, residual, weft.Const[State[weft.EndpointSet]]{V: Ok(set)})
}

// Following returns a bound name whose endpoints are those of src, which its
// owner keeps up to date by itself, whoever observes it.
func Following(id, residual dtab.Path, src weft.Source[State[weft.EndpointSet]]) Name {
	return Name{Bound: &Bound{
		ID:       id,
		Residual: residual,
		Addrs:    func(context.Context) weft.Source[State[weft.EndpointSet]] { return src },
	}}
}

// Answer returns a namer's answer that is known and never changes.
func Answer(t dtab.Tree[Name]) weft.Source[State[dtab.Tree[Name]]] {
	return weft.Const[State[dtab.Tree[Name]]]{V: Ok(t)}
}

// NoSuchName returns the answer of a namer that does not know a name, Neg.
func NoSuchName() weft.Source[State[dtab.Tree[Name]]] { return Answer(dtab.Tree[Name]{}) }

// AnswerErr returns a namer's answer that is a failure and never changes.
func AnswerErr(err error) weft.Source[State[dtab.Tree[Name]]] {
	return weft.Const[State[dtab.Tree[Name]]]{V: Failed[dtab.Tree[Name]](err)}
}

// PathTree turns a tree of paths, such as a dtab's destination, into the answer
// of a namer whose leaves are to be looked up again.
func PathTree(t dtab.Tree[dtab.Path]) dtab.Tree[Name] {
	return dtab.Map(t, func(p dtab.Path) Name { return Name{Path: p} })
}
