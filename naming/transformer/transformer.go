package transformer

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

type (
	// Bound is what a name is bound to: the outcome of naming.Interpreter's Bind.
	Bound = weft.Source[State]

	// State is what Bound holds.
	State = naming.State[dtab.Tree[*naming.Bound]]
)

// Transformer changes what names are bound to. It is safe for concurrent use. One
// that is an io.Closer is closed, and one that is a naming.Reporter reports, with
// what it was put behind.
type Transformer interface {
	// Transform returns what becomes of src. It does not block. The result changes
	// whenever src does and is kept up to date until ctx ends; the endpoint sets of
	// its leaves are observed by themselves, as naming.Bound demands. While src is
	// pending so is the result, unless it does not depend on src.
	Transform(ctx context.Context, src Bound) Bound

	// Explain returns the explanation d of a name with what Transform does to it: as
	// a rule a KindTransformation in the place of each leaf. The endpoint sets in d
	// are resolved, and those in the result must be. If ctx ends before they are, the
	// error says so and the result has what is known.
	Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error)
}

// leafwise is implemented by transformers that depend on nothing but the leaf.
type leafwise interface {
	leaf(b *naming.Bound) *naming.Bound
}

// chain is a list of transformers as one.
type chain []Transformer

// Transform implements Transformer.
func (c chain) Transform(ctx context.Context, src Bound) Bound {
	for _, t := range c {
		src = t.Transform(ctx, src)
	}
	return src
}

// Explain implements Transformer. It returns the first error and goes on after it:
// what is known is worth showing.
func (c chain) Explain(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	var first error
	for _, t := range c {
		var err error
		if d, err = t.Explain(ctx, d); first == nil {
			first = err
		}
	}
	return d, first
}

// leaves returns what the transformers do to a leaf, if all of them depend on
// nothing else.
func (c chain) leaves() (func(*naming.Bound) *naming.Bound, bool) {
	each := make([]leafwise, len(c))
	for i, t := range c {
		l, ok := t.(leafwise)
		if !ok {
			return nil, false
		}
		each[i] = l
	}
	return func(b *naming.Bound) *naming.Bound {
		for _, l := range each {
			b = l.leaf(b)
		}
		return b
	}, true
}

// watches returns the status of what inner and the transformers watch.
func (c chain) watches(inner any) []naming.WatchStatus {
	var all []naming.WatchStatus
	if r, ok := inner.(naming.Reporter); ok {
		all = r.Watches()
	}
	for _, t := range c {
		if r, ok := t.(naming.Reporter); ok {
			all = append(all, r.Watches()...)
		}
	}
	return all
}

// close closes inner, which uses nothing of the transformers, and then those, the
// last first.
func (c chain) close(inner any) error {
	var errs []error
	if i, ok := inner.(io.Closer); ok {
		errs = append(errs, i.Close())
	}
	for _, t := range slices.Backward(c) {
		if t, ok := t.(io.Closer); ok {
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}
