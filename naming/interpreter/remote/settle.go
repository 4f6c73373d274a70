package remote

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Settle returns t as binding leaves a tree: without Alts, which say what is
// tried next when a branch turns out to be negative and have nothing left to say
// once all branches are known, and simplified. A namerd sends no Alts, but the
// protocols have them.
func Settle(t dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] {
	t = settle(t)
	t.Weight = 0
	return t
}

func settle(t dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] {
	switch t.Op {
	case dtab.Alt:
		for _, k := range t.Kids {
			if s := settle(k); s.Op != dtab.Neg {
				return s.Weighing(t.Weight)
			}
		}
		return dtab.Tree[*naming.Bound]{Weight: t.Weight}
	case dtab.Union:
		kids := make([]dtab.Tree[*naming.Bound], len(t.Kids))
		for i, k := range t.Kids {
			kids[i] = settle(k)
		}
		return dtab.Simplify(dtab.Tree[*naming.Bound]{Op: dtab.Union, Kids: kids, Weight: t.Weight})
	default:
		return t
	}
}
