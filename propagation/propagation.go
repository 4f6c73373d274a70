package propagation

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// Propagator reads and writes the headers of one trace format together with the
// deadline and the per-request dtab. The zero Propagator uses Linkerd's own trace
// header. It is a value without state.
type Propagator struct {
	// Trace is the format of trace ids on the wire.
	Trace TraceFormat
}

// Extract reads the context headers of an incoming request, removes them from c
// and returns a context that carries them: a deadline (enforced as the context's
// own), the per-request dtab (appended to the one in ctx) and a trace: a child of
// the one that came in, else that of ctx, else a new one. The caller must call
// cancel when the request is over.
//
// A dtab that does not parse is an error, a *dtab.SyntaxError; a deadline or
// trace that cannot be read counts as absent.
func (p Propagator) Extract(ctx context.Context, c Carrier) (_ context.Context, cancel context.CancelFunc, err error) {
	local, err := TakeDtab(c)
	if err != nil {
		return ctx, func() {}, err
	}
	ctx = weft.AddDtab(ctx, local)
	ctx = p.extractTrace(ctx, c)
	ctx, cancel = WithDeadline(ctx, TakeDeadline(c))
	return ctx, cancel, nil
}

// Inject writes the context headers of an outgoing request: the deadline and the
// per-request dtab if ctx has them, and the trace of ctx, which the caller has
// already moved on to the client span (see ClientSpan).
func (p Propagator) Inject(ctx context.Context, c Carrier) {
	t, traced := telemetry.TraceFrom(ctx)
	p.inject(ctx, DeadlineFrom(ctx), c)
	if traced {
		p.injectTrace(t, c)
	}
}

// InjectSpan is Inject for adapters that make no context for each attempt: t is the
// trace of the client span (see ClientTrace), and d a deadline besides those of
// ctx.
func (p Propagator) InjectSpan(ctx context.Context, t telemetry.Trace, d Deadline, c Carrier) {
	p.inject(ctx, DeadlineFrom(ctx).Combine(d), c)
	p.injectTrace(t, c)
}

func (p Propagator) inject(ctx context.Context, d Deadline, c Carrier) {
	if !d.IsZero() {
		c.Set(HeaderDeadline, d.String())
	}
	injectDtab(ctx, c)
}
