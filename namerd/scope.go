package namerd

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// scope is the interpreter of one namespace, behind a function: values that are
// published are compared, which must not look into it.
type scope struct {
	interpreter func() *naming.Default
	ended       <-chan struct{} // closed when the interpreter is
}

// watchScope makes the interpreter of a namespace, which lives as long as somebody
// asks it. A namespace that does not exist is an empty dtab.
func (n *Namerd) watchScope(ctx context.Context, namespace string, set func(naming.State[scope])) error {
	stored := naming.Derive(n.dtabs.Observe(ctx, namespace), func(s naming.State[Stored]) naming.State[dtab.Dtab] {
		return naming.MapState(s, func(s Stored) dtab.Dtab { return s.Dtab }).At(s.Value.Revision.String())
	})
	in := naming.NewInterpreter(naming.Options{Namers: n.opts.Namers, Global: n.opts.Global, Stored: stored, Versions: true})
	set(naming.Ok(scope{func() *naming.Default { return in }, ctx.Done()}))
	<-ctx.Done()
	return in.Close()
}

// over reports that the interpreter is being closed: nobody had observed it for a while,
// and another one takes its place.
func (s scope) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// scope returns the interpreter of a namespace, which can be used until ctx ends.
func (n *Namerd) scope(ctx context.Context, namespace string) (*naming.Default, error) {
	src := n.scopes.Observe(ctx, namespace)
	for {
		s, stale := src.Load()
		switch {
		case s.Known && !s.Value.over():
			return s.Value.interpreter(), nil
		case s.Err != nil:
			return nil, s.Err
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return nil, fmt.Errorf("namerd: namespace %s: %w", namespace, context.Cause(ctx))
		}
	}
}
