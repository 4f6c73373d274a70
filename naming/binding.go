package naming

import (
	"context"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/signals"
)

// binding keeps one path bound: it reads everything again from the top whenever
// something that it has read is out of date.
type binding struct {
	tenant
	reading
	in   *Default
	name dtab.Path
	out  weft.Var[outcome]
	now  outcome   // what out holds
	last time.Time // when it was read last

	waiting *signals.Waiting // for what was read
}

func newBinding(ctx context.Context, in *Default, local dtab.Dtab, p dtab.Path) *binding {
	ctx, cancel := context.WithCancel(ctx)
	b := &binding{tenant: tenant{cancel}, in: in, name: p, reading: reading{
		lookups: newLookups(ctx, in.table, in.opts.MaxLookups), local: local, maxDepth: in.opts.MaxDepth,
	}}
	b.waiting = in.waiting.New(b.again)
	return b
}

// follow has the path read again once it is out of date, and ends the binding when there
// is nothing that could change, or nobody for whom.
func (b *binding) follow() {
	if len(b.signals) == 0 || b.ctx.Err() != nil {
		b.in.exit(&b.tenant)
		return
	}
	b.waiting.For(append(b.signals, b.ctx.Done())...)
}

// again reads the path again.
func (b *binding) again() {
	if b.ctx.Err() == nil {
		// The first change after a quiet time is read at once; of a storm, what has
		// come in by the end of the interval is read together.
		if wait := b.in.opts.Settle - time.Since(b.last); wait > 0 {
			pause(b.ctx, wait)
		}
		b.last = time.Now()
		b.publish(b.read())
	}
	b.follow()
}

// read reads the path once.
func (b *binding) read() outcome {
	b.begin()
	rules, stale := b.in.rules.Load()
	b.watch(stale, rules.Known, rules.Err)
	o := outcome{Err: rules.Err}
	if rules.Known {
		b.index = rules.Value
		o = b.path(b.name, 0, weight{})
	}
	b.oldLeaves, b.leaves = b.leaves, nil
	switch {
	case b.exhausted():
		// A part of the answer would be an answer to another question.
		o = Failed[dtab.Tree[*Bound]](ErrTooWide)
	case o.Known:
		o.Value.Weight = 0
		o.Err = b.stale
		if b.in.opts.Versions {
			o.Version = rules.Version
		}
	}
	b.end()
	return o
}

// publish shows o to the readers if it tells them anything new. Once a path was
// bound it stays so: what goes wrong later only marks the tree as stale.
func (b *binding) publish(o outcome) {
	switch {
	case o.Pending():
		return
	case !o.Known:
		o.Value, o.Known, o.Version = b.now.Value, b.now.Known, b.now.Version
	case b.now.Known && sameTree(o.Value, b.now.Value):
		o.Value = b.now.Value
	default:
		b.store(o)
		return
	}
	if o.Known != b.now.Known || o.Version != b.now.Version || !sameError(o.Err, b.now.Err) {
		b.store(o)
	}
}

func (b *binding) store(o outcome) {
	b.now = o
	b.out.Store(o)
}

// sameTree reports whether two bound trees mean the same: the same shape, the
// same weights and, leaf by leaf, the same id and residual, with the same weight noted.
// By the contract of Bound, the same id means the same endpoints.
func sameTree(a, b dtab.Tree[*Bound]) bool {
	return dtab.EqualFunc(a, b, func(x, y *Bound) bool {
		return x.ID == y.ID && x.Residual == y.Residual && x.treeWeight == y.treeWeight
	})
}

// sameError reports whether two errors look the same to who reads about them.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return (a == nil) == (b == nil)
	}
	return a.Error() == b.Error()
}
