package propagation

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// Propagator reads and writes the headers of traces, together with the deadline and the
// per-request dtab. The zero Propagator is Linkerd's default, which continues the traces
// of other systems too. It is a value without state.
type Propagator struct {
	// Read are the forms of traces that are looked at; zero is all. What is not looked at
	// is passed on unchanged, but for l5d-ctx-trace and l5d-sample, which are removed.
	Read Forms

	// Write are the forms that are written whatever came in; zero is L5d. What came in, as
	// far as it was looked at, is written too. W3C is left out of them while the sampling
	// of the trace is undecided.
	Write Forms
}

// Zipkin is the Propagator of io.l5d.zipkin: it knows B3 only, and writes it in five
// headers.
func Zipkin() Propagator { return Propagator{Read: B3 | B3Single, Write: B3} }

func (p Propagator) reads() Forms {
	if p.Read == 0 {
		return allForms
	}
	return p.Read
}

func (p Propagator) writes() Forms {
	if p.Write == 0 {
		return L5d
	}
	return p.Write
}

// Extract reads the context headers of an incoming request, removes Linkerd's from c
// and returns a context that carries them: a deadline (enforced as the context's
// own), the per-request dtab (appended to the one in ctx) and a trace, see TakeTrace; ts
// are the tracers that will be told of the request. Without any, a trace that is recorded
// elsewhere comes as it is (see telemetry.Tracers.Join). The caller must call cancel when
// the request is over.
//
// A dtab that does not parse is an error, a *dtab.SyntaxError; a deadline or
// trace that cannot be read counts as absent.
func (p Propagator) Extract(ctx context.Context, c Carrier, ts *telemetry.Tracers) (_ context.Context, cancel context.CancelFunc, err error) {
	local, err := TakeDtab(c)
	if err != nil {
		return ctx, func() {}, err
	}
	ctx = weft.AddDtab(ctx, local)
	ctx = p.extractTrace(ctx, c, ts)
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
