package httpapi

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// resolve shows the endpoints of one of the leaves that a name is bound to.
func (x *exchange) resolve(namespace string) {
	q, ok := x.named()
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(x.ctx)
	var choosing sync.WaitGroup
	defer choosing.Wait()
	defer cancel()
	// It is not shared: each client makes its own choice.
	var doc weft.Var[naming.State[document]]
	bound := x.h.n.Bind(ctx, namespace, q.local, q.path)
	choosing.Go(func() {
		var c choice
		_ = watchTree(ctx, bound, doc.Store, c.show) // it ends with ctx
	})
	x.show(&doc, q.watch, typeJSON)
}

// choice is the leaf that was chosen of a tree. It holds until the tree is another
// one.
type choice struct {
	of   *dtab.Tree[*naming.Bound]
	leaf *naming.Bound
}

// show returns the endpoints of the chosen leaf.
func (c *choice) show(r *reading) document {
	if c.of == nil || !dtab.EqualFunc(*c.of, r.tree, sameBound) {
		c.leaf = choose(r.tree)
	} else if c.leaf != nil {
		c.leaf = find(r.tree, c.leaf) // whose endpoints are observed now
	}
	c.of = &r.tree
	s := naming.Ok(weft.EndpointSet{Neg: true})
	if c.leaf != nil {
		s = r.addr(c.leaf)
	}
	return document{body: showJSON(newAddrJSON(s))}
}

func sameBound(a, b *naming.Bound) bool { return a.ID == b.ID && a.Residual == b.Residual }

// choose returns a leaf: of an Alt that of the first kid that has one, of a Union
// that of a kid chosen at random by weight. Nil if there is none.
func choose(t dtab.Tree[*naming.Bound]) *naming.Bound {
	switch t.Op {
	case dtab.Leaf:
		return t.Value
	case dtab.Alt:
		for _, k := range t.Kids {
			if b := choose(k); b != nil {
				return b
			}
		}
	case dtab.Union:
		total := 0.0
		for _, k := range t.Kids {
			total += k.Weight
		}
		at := rand.Float64() * total
		for _, k := range t.Kids {
			if at -= k.Weight; at < 0 {
				return choose(k)
			}
		}
	case dtab.Neg, dtab.Fail, dtab.Empty:
	}
	return nil
}

// find returns the leaf of t that is the same as b.
func find(t dtab.Tree[*naming.Bound], b *naming.Bound) *naming.Bound {
	if t.Op == dtab.Leaf && sameBound(t.Value, b) {
		return t.Value
	}
	for _, k := range t.Kids {
		if found := find(k, b); found != nil {
			return found
		}
	}
	return nil
}
