// Package namerdtest is the flow that every interpreter that asks a namerd must
// withstand: what a namerd knows, which each package's test serves in its own
// protocol; a connection that can be cut, stopped and slowed down; and the tests.
package namerdtest

import (
	"context"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Tree is what a namerd answers for a name.
type Tree = naming.State[dtab.Tree[*naming.Bound]]

// Addr is what a namerd answers for an id.
type Addr = naming.State[weft.EndpointSet]

// Rules is what a namerd answers for a namespace.
type Rules = naming.State[dtab.Dtab]

// World is what a namerd knows. It is safe for concurrent use.
type World struct {
	mu       sync.Mutex
	trees    map[string]*weft.Var[Tree]
	addrs    map[string]*weft.Var[Addr]
	dtab     weft.Var[Rules]
	explains map[string]naming.Delegation
	asked    map[string]int // by name: the watches that are open
	most     map[string]int // by name: how many of them there were at once
	rules    map[string]string
}

// NewWorld returns a World in which everything is pending.
func NewWorld() *World {
	return &World{
		trees: map[string]*weft.Var[Tree]{}, addrs: map[string]*weft.Var[Addr]{},
		explains: map[string]naming.Delegation{}, asked: map[string]int{}, most: map[string]int{}, rules: map[string]string{},
	}
}

// Tree is what path is bound to.
func (w *World) Tree(path string) *weft.Var[Tree] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trees[path] == nil {
		w.trees[path] = &weft.Var[Tree]{}
	}
	return w.trees[path]
}

// Addr is the endpoints of id.
func (w *World) Addr(id string) *weft.Var[Addr] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.addrs[id] == nil {
		w.addrs[id] = &weft.Var[Addr]{}
	}
	return w.addrs[id]
}

// Dtab is the dtab of the namespace.
func (w *World) Dtab() *weft.Var[Rules] { return &w.dtab }

// Explain sets the explanation of path.
func (w *World) Explain(path string, d naming.Delegation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.explains[path] = d
}

// Explanation is the explanation of path.
func (w *World) Explanation(path string) (naming.Delegation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, ok := w.explains[path]
	return d, ok
}

// Asked notes that path is being bound with the given rules. The result takes that
// back.
func (w *World) Asked(path, rules string) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[path]++
	w.most[path] = max(w.most[path], w.asked[path])
	w.rules[path] = rules
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked[path]--
	}
}

// Open returns how many watches of path there are, and the rules of the last.
func (w *World) Open(path string) (int, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[path], w.rules[path]
}

// Most returns how many watches of path there were at once.
func (w *World) Most(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most[path]
}

// Follow calls send with every state of src that is not pending, until send returns
// false or ctx ends.
func Follow[T any](ctx context.Context, src weft.Source[naming.State[T]], send func(naming.State[T]) bool) {
	for {
		st, stale := src.Load()
		if !st.Pending() && !send(st) {
			return
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return
		}
	}
}

// Leaf is the tree of one bound name.
func Leaf(id, residual string) Tree {
	return naming.Ok(dtab.LeafOf(Bound(id, residual)))
}

// Bound is a bound name as a namerd has it.
func Bound(id, residual string) *naming.Bound {
	return &naming.Bound{ID: dtab.MustPath(id), Residual: dtab.MustPath(residual)}
}

// Set is a set of endpoints.
func Set(addrs ...string) Addr {
	var set weft.EndpointSet
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	return naming.Ok(set)
}
