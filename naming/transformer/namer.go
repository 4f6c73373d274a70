package transformer

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer returns n with transformers, applied in order to those of its answers whose
// leaves are all bound. Any other answer is passed on as it is: the names in it are
// looked up again, and transformed then if they are names of n.
//
// The result has the methods Names and State of package proxy/plugin's Lister and
// Stater if n has; it is always an io.Closer, which closes n and the transformers,
// and a naming.Reporter, has a method Prefix, which returns n's or the empty path,
// and a method Unwrap that returns n, for what else n may be. Without transformers it
// is n itself.
func Namer(n naming.Namer, ts ...Transformer) naming.Namer {
	if len(ts) == 0 {
		return n
	}
	w := &namer{n: n, ts: chain(ts), joins: newJoins()}
	w.leaf, _ = w.ts.leaves()
	l, lists := n.(lister)
	s, states := n.(stater)
	switch {
	case lists && states:
		return struct {
			*namer
			lister
			stater
		}{w, l, s}
	case lists:
		return struct {
			*namer
			lister
		}{w, l}
	case states:
		return struct {
			*namer
			stater
		}{w, s}
	default:
		return w
	}
}

// lister is implemented by namers that can enumerate their names.
type lister interface {
	Names() ([]dtab.Path, error)
}

// stater is implemented by namers that have a page about their state.
type stater interface{ State() any }

type namer struct {
	n     naming.Namer
	ts    chain
	leaf  func(*naming.Bound) *naming.Bound // what ts do, if they depend on nothing else
	joins *joins
}

type answer = naming.State[dtab.Tree[naming.Name]]

// Lookup implements naming.Namer.
func (w *namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[answer] {
	names := w.n.Lookup(ctx, p)
	if w.leaf != nil {
		return naming.Derive(names, func(a answer) answer {
			if !bound(a) {
				return a
			}
			return namesOf(leafByLeaf(boundOf(a), w.leaf))
		})
	}
	changed := w.ts.Transform(ctx, naming.Derive(names, boundOf))
	return join(ctx, w.joins, names, changed, func(a answer, s State) answer {
		if !bound(a) {
			return a
		}
		return namesOf(s)
	})
}

// Prefix returns the whole prefix of the namer's names, or the empty path if the
// namer does not know it.
func (w *namer) Prefix() dtab.Path {
	if n, ok := w.n.(interface{ Prefix() dtab.Path }); ok {
		return n.Prefix()
	}
	return dtab.Path{}
}

// Watches implements naming.Reporter.
func (w *namer) Watches() []naming.WatchStatus { return w.ts.watches(w.n) }

// Close closes the namer and the transformers.
func (w *namer) Close() error {
	w.joins.close()
	return w.ts.close(w.n)
}

// Unwrap returns the namer without transformers.
func (w *namer) Unwrap() naming.Namer { return w.n }

// bound reports whether a is known and all its leaves are bound.
func bound(a answer) bool { return a.Known && boundTree(a.Value) }

func boundTree(t dtab.Tree[naming.Name]) bool {
	switch t.Op {
	case dtab.Leaf:
		return t.Value.Bound != nil
	case dtab.Alt, dtab.Union:
		for _, k := range t.Kids {
			if !boundTree(k) {
				return false
			}
		}
	case dtab.Neg, dtab.Fail, dtab.Empty:
	}
	return true
}

// boundOf returns an answer as a bound tree, and pending if it is none.
func boundOf(a answer) State {
	if !bound(a) {
		return State{}
	}
	return naming.MapState(a, func(t dtab.Tree[naming.Name]) dtab.Tree[*naming.Bound] {
		return dtab.Map(t, func(n naming.Name) *naming.Bound { return n.Bound })
	})
}

// namesOf returns a bound tree as an answer.
func namesOf(s State) answer {
	return naming.MapState(s, func(t dtab.Tree[*naming.Bound]) dtab.Tree[naming.Name] {
		return dtab.Map(t, func(b *naming.Bound) naming.Name { return naming.Name{Bound: b} })
	})
}

// leafByLeaf applies f to the leaves of a bound tree.
func leafByLeaf(s State, f func(*naming.Bound) *naming.Bound) State {
	return naming.MapState(s, func(t dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] { return dtab.Map(t, f) })
}
