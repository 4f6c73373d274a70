package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// interpreter makes that of a router, and what explains names without the router's
// dtab: Linkerd's pages bring it along. That may be nil.
func (p *Proxy) interpreter(c *config.Router) (naming.Interpreter, naming.Delegator, error) {
	part := c.Interpreter
	if part.IsZero() {
		var err error
		if part, err = p.cfg.Registry().Part(config.RoleInterpreter, "default", struct{}{}); err != nil {
			return nil, nil, err
		}
	}
	in, err := p.buildInterpreter(part, c, c.Dtab)
	if err != nil {
		return nil, nil, err
	}
	ts, err := p.transformers(part)
	if err != nil {
		return nil, nil, errors.Join(err, closeIt(in))
	}
	whole := transformer.Interpreter(in, ts...)
	p.own(whole)
	var bare naming.Delegator
	if b, ok := in.(plugin.Bare); ok {
		bare = b.Bare()
	} else {
		other, err := p.buildInterpreter(part, c, nil)
		if err != nil {
			return nil, nil, err
		}
		p.own(other)
		bare, _ = other.(naming.Delegator)
	}
	if bare != nil && len(ts) > 0 {
		bare = explained{bare, ts}
	}
	return whole, bare, nil
}

func (p *Proxy) buildInterpreter(part config.Part, c *config.Router, base dtab.Dtab) (naming.Interpreter, error) {
	return config.Build[naming.Interpreter](part, plugin.InterpreterEnv{
		Base: base, Namers: p.namers, Global: p.global, Resolve: p.resolver.Resolve, Shared: &p.shared,
		Binder: p.binder, Metrics: p.tree.Scope("rt", c.Name(), "interpreter"), Logger: p.opts.Logger,
	})
}

// transformers makes those of a namer or an interpreter, which closes them.
func (p *Proxy) transformers(part config.Part) ([]transformer.Transformer, error) {
	root := dtab.MustPath("/%")
	var all []transformer.Transformer
	for _, t := range part.Transformers {
		env := plugin.TransformerEnv{
			Binder: p.binder, Resolve: p.resolver.Resolve, Shared: &p.shared, Logger: p.opts.Logger,
		}
		if !t.DefaultPrefix {
			env.Prefix = root.Concat(t.Prefix)
		}
		made, err := config.Build[transformer.Transformer](t, env)
		if err != nil {
			for _, m := range all {
				err = errors.Join(err, closeIt(m))
			}
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// explained explains names with what transformers, which belong to somebody else, do
// to them.
type explained struct {
	naming.Delegator
	ts []transformer.Transformer
}

// Delegate implements naming.Delegator.
func (e explained) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	d, err := e.Delegator.Delegate(ctx, local, p)
	for _, t := range e.ts {
		if d.Kind == "" {
			break
		}
		var late error
		if d, late = t.Explain(ctx, d); err == nil {
			err = late
		}
	}
	return d, err
}

// late is the interpreter of all namers without a dtab, for those that are made
// before it: the transformers of namers may ask other namers.
type late struct {
	in atomic.Pointer[naming.Default]
}

func (l *late) set(in *naming.Default) { l.in.Store(in) }

// Bind implements naming.Interpreter.
func (l *late) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[naming.State[dtab.Tree[*naming.Bound]]] {
	// A namer whose transformer asks the namer itself would go on for ever.
	depth, _ := ctx.Value(lateDepth{}).(int)
	in, err := l.in.Load(), errEarly
	if depth > maxLateDepth {
		in, err = nil, fmt.Errorf("proxy: %s: the transformers of namers lead in a circle: %w", p, naming.ErrTooDeep)
	}
	if in == nil {
		return weft.Const[naming.State[dtab.Tree[*naming.Bound]]]{V: naming.Failed[dtab.Tree[*naming.Bound]](err)}
	}
	return in.Bind(context.WithValue(ctx, lateDepth{}, depth+1), local, p)
}

// lateDepth is the key of how many times late was asked to answer itself.
type lateDepth struct{}

const maxLateDepth = 20

// Delegate implements naming.Delegator.
func (l *late) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	if in := l.in.Load(); in != nil {
		depth, _ := ctx.Value(lateDepth{}).(int)
		if depth > maxLateDepth {
			return naming.Delegation{}, naming.ErrTooDeep
		}
		return in.Delegate(context.WithValue(ctx, lateDepth{}, depth+1), local, p)
	}
	return naming.Delegation{}, errEarly
}

var errEarly = errors.New("proxy: a name was asked for before the namers were made")

func closeIt(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
