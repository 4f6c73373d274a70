package naming

import (
	"context"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/signals"
)

// Options says what an interpreter looks names up in. The zero value knows no
// names.
type Options struct {
	// Namers are asked for what the dtab has no rule for, later ones first.
	Namers Namers

	// Global is asked last, for the names under /$, and gets the whole name. Nil
	// knows no such names.
	Global Namer

	// Stored is a dtab that is kept somewhere else and changes: a file, a config
	// map, a namespace of namerd. Its rules come first, and so lose to those of Base
	// and of the request. While it is pending every name is; while it has failed and
	// never had a value, so has every name. Nil is an empty one.
	Stored weft.Source[State[dtab.Dtab]]

	// Versions makes the State of a name have the version of Stored that its tree was
	// bound by, so that readers are told of new versions that change nothing, too.
	Versions bool

	// Base holds rules that win over those of Stored and lose to those of the
	// request.
	Base dtab.Dtab

	// MaxDepth is how many look-ups one after the other a name may take. Zero is
	// 100.
	MaxDepth int

	// MaxLookups is how many look-ups a name may take in all. Rules that branch into
	// themselves, such as /a=>/a/b & /a/c, would otherwise take some 2^MaxDepth of
	// them, and requests may bring rules along. Zero is 4096.
	MaxLookups int

	// Settle is the shortest time between two readings of a name. The first change
	// after a quiet time is seen at once; the changes that come within Settle of it
	// are seen together. Zero is 1 ms, a negative value none.
	Settle time.Duration
}

func (o Options) withDefaults() Options {
	if o.MaxDepth <= 0 {
		o.MaxDepth = 100
	}
	if o.MaxLookups <= 0 {
		o.MaxLookups = 4096
	}
	if o.Settle == 0 {
		o.Settle = time.Millisecond
	}
	return o
}

// Default is the interpreter that binds names in this process. It is safe for
// concurrent use.
type Default struct {
	opts  Options
	table table
	rules weft.Source[State[*dtab.Index]] // Stored ++ Base

	waiting signals.Waiter // of the bindings, for what they have read
	wg      sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	tenants map[*tenant]struct{}
}

// Base returns Options.Base, the rules between what is stored and the request's.
func (in *Default) Base() dtab.Dtab { return in.opts.Base }

// tenant is something that Close ends and waits for: a binding that is kept up to
// date or an explanation that is being made.
type tenant struct{ cancel context.CancelFunc }

var (
	_ Interpreter = (*Default)(nil)
	_ Delegator   = (*Default)(nil)
)

// NewInterpreter returns an interpreter. Close it.
func NewInterpreter(o Options) *Default {
	o = o.withDefaults()
	in := &Default{opts: o, table: newTable(o.Namers, o.Global), tenants: map[*tenant]struct{}{}}
	if o.Stored == nil {
		in.rules = weft.Const[State[*dtab.Index]]{V: Ok(dtab.NewIndex(o.Base))}
		return in
	}
	in.rules = Derive(o.Stored, func(s State[dtab.Dtab]) State[*dtab.Index] {
		return MapState(s, func(stored dtab.Dtab) *dtab.Index { return dtab.NewIndex(stored.Concat(o.Base)) })
	})
	return in
}

// Bind implements Interpreter. A name costs no goroutine but while it is
// read again, and one that can never change nothing at all.
// After Close it returns ErrClosed.
func (in *Default) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[State[dtab.Tree[*Bound]]] {
	b := newBinding(ctx, in, local, p)
	if !in.enter(&b.tenant) {
		return weft.Const[outcome]{V: Failed[dtab.Tree[*Bound]](ErrClosed)}
	}
	first := b.read()
	if len(b.signals) == 0 {
		in.exit(&b.tenant)
		return weft.Const[outcome]{V: first}
	}
	b.publish(first)
	b.last = time.Now()
	b.follow()
	return &b.out
}

// enter counts a tenant, so that Close ends it, or ends it itself after Close.
func (in *Default) enter(t *tenant) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		t.cancel()
		return false
	}
	in.wg.Add(1)
	in.tenants[t] = struct{}{}
	return true
}

// exit ends a tenant and all its look-ups.
func (in *Default) exit(t *tenant) {
	t.cancel()
	in.mu.Lock()
	delete(in.tenants, t)
	in.mu.Unlock()
	in.wg.Done()
}

// Close ends all bindings and explanations and waits until nothing works for them. What
// was bound stands still. Close may be called more than once.
func (in *Default) Close() error {
	in.mu.Lock()
	in.closed = true
	for t := range in.tenants {
		t.cancel()
	}
	in.mu.Unlock()
	in.wg.Wait()
	in.waiting.Wait()
	return nil
}
