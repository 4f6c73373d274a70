package remote

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Delegate implements naming.Delegator. It asks again while the connection is
// lost, until ctx ends.
func (in *Interpreter) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	d, err := in.delegate(ctx, local, p)
	in.stats.delegate.end(err)
	return d, err
}

func (in *Interpreter) delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	if in.ctx.Err() != nil {
		return naming.Delegation{}, naming.ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(in.ctx, func() { cancel(naming.ErrClosed) })()
	q := in.question(local, p)
	quick := backoff{base: redialMin, limit: redialMax}
	var trouble error
	fail := func(err error) (naming.Delegation, error) {
		return naming.Delegation{}, fmt.Errorf("%s: explaining %s: %w", in.conf.Kind, p, err)
	}
	for {
		s, err := in.link.session(ctx, func(err error) { trouble = err })
		if err != nil {
			if trouble != nil {
				err = fmt.Errorf("%w (%w)", &UnreachableError{trouble}, err)
			}
			return fail(err)
		}
		var d naming.Delegation
		lost, err := once(ctx, s, func(ctx context.Context, s Session, _ func(naming.State[struct{}])) (err error) {
			d, err = s.Explain(ctx, q)
			return err
		}, nil)
		switch {
		case err == nil:
			return in.withAddrs(ctx, d)
		case lost && ctx.Err() == nil:
			trouble = err
			pause(ctx, quick.next())
		case ctx.Err() != nil:
			return fail(context.Cause(ctx))
		default:
			return fail(err)
		}
	}
}

// withAddrs gives every bound name of d its endpoints, and those that came without
// are asked for, all at once.
func (in *Interpreter) withAddrs(ctx context.Context, d naming.Delegation) (naming.Delegation, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var open []*naming.Delegation
	in.equip(&d, &open)
	sources := make([]weft.Source[naming.State[weft.EndpointSet]], len(open))
	for i, n := range open {
		sources[i] = n.Bound.Addrs(ctx)
	}
	var late error
	for i, src := range sources {
		st, err := weft.Until(ctx, src, func(st naming.State[weft.EndpointSet]) bool { return !st.Pending() })
		open[i].Addr = st
		if err != nil && ctx.Err() != nil {
			late = err // the others may have an answer all the same
		}
	}
	if late != nil {
		late = fmt.Errorf("%s: explaining %s: %w", in.conf.Kind, d.Path, late)
	}
	return d, late
}

// equip completes the bound names of d and collects the nodes whose endpoints are
// not known.
func (in *Interpreter) equip(d *naming.Delegation, open *[]*naming.Delegation) {
	if d.Bound != nil {
		d.Bound = in.bound(d.Bound)
		if d.Addr.Pending() {
			*open = append(*open, d)
		}
	}
	for i := range d.Kids {
		in.equip(&d.Kids[i], open)
	}
}
