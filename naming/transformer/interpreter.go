package transformer

import (
	"context"
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Interpreter returns in with transformers, applied in order to whatever in binds.
//
// The result is a naming.Delegator, and has a method Stored() dtab.Dtab, if in is
// and has; it is always an io.Closer, which closes in and the transformers, and a
// naming.Reporter, and has a method Unwrap that returns in, for what else in may be.
// Without transformers it is in itself.
func Interpreter(in naming.Interpreter, ts ...Transformer) naming.Interpreter {
	if len(ts) == 0 {
		return in
	}
	i := &interpreter{in: in, ts: chain(ts)}
	d, explains := in.(naming.Delegator)
	h, holds := in.(holder)
	e := explaining{d, i.ts}
	switch {
	case explains && holds:
		return struct {
			*interpreter
			explaining
			holder
		}{i, e, h}
	case explains:
		return struct {
			*interpreter
			explaining
		}{i, e}
	case holds:
		return struct {
			*interpreter
			holder
		}{i, h}
	default:
		return i
	}
}

// holder is implemented by interpreters that have a dtab of their own.
type holder interface{ Stored() dtab.Dtab }

type interpreter struct {
	in naming.Interpreter
	ts chain
}

// Bind implements naming.Interpreter.
func (i *interpreter) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) Bound {
	for k, t := range slices.Backward(i.ts) {
		if c, ok := t.(*Const); ok {
			// What comes before does not matter, so nothing is looked up for it.
			return i.ts[k+1:].Transform(ctx, c.bind(ctx))
		}
	}
	return i.ts.Transform(ctx, i.in.Bind(ctx, local, p))
}

// Watches implements naming.Reporter.
func (i *interpreter) Watches() []naming.WatchStatus { return i.ts.watches(i.in) }

// Close closes the interpreter and the transformers.
func (i *interpreter) Close() error { return i.ts.close(i.in) }

// Unwrap returns the interpreter without transformers.
func (i *interpreter) Unwrap() naming.Interpreter { return i.in }

// explaining explains names as a Delegator does, together with the transformers.
type explaining struct {
	in naming.Delegator
	ts chain
}

// Delegate implements naming.Delegator.
func (e explaining) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	d, err := e.in.Delegate(ctx, local, p)
	if d.Kind == "" {
		return d, err
	}
	d, late := e.ts.Explain(ctx, d)
	if err == nil {
		err = late
	}
	return d, err
}
