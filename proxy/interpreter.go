package proxy

import (
	"context"
	"errors"
	"io"

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
	ts, err := p.names.Transformers(part)
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
		Router: c.Name(), Base: base, Namers: p.names.Namers(), Global: p.names.Global(), Resolve: p.names.Resolve, Shared: p.names.Shared(),
		Binder: p.names.Binder(), Metrics: p.tree.Scope("rt", c.Name(), "interpreter"), Logger: plugin.Named(p.opts.Logger, part.Kind),
	})
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

func closeIt(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
