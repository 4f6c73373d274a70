package propagation

import (
	"context"

	"github.com/weft-mesh/weft/telemetry"
)

// TakeTrace reads the trace headers and returns the trace of the request: that of a new
// span (see telemetry.Tracers.Next) of the one that came in, else the trace of ctx, else
// a new one, so that everything that is done for the request is one trace. Its sampling
// is decided if ts have something to say to it. changed reports whether it is another
// than that of ctx.
//
// Linkerd's headers are removed. Those of other forms stay where they are until Inject
// writes them anew, but for a tracestate that nobody may pass on.
func (p Propagator) TakeTrace(ctx context.Context, c Carrier, ts *telemetry.Tracers) (t telemetry.Trace, changed bool) {
	return p.takeTrace(ctx, c, ts, (*telemetry.Tracers).Next)
}

func (p Propagator) takeTrace(
	ctx context.Context, c Carrier, ts *telemetry.Tracers, next func(*telemetry.Tracers, telemetry.Trace) telemetry.Trace,
) (t telemetry.Trace, changed bool) {
	own, has := telemetry.TraceFrom(ctx)
	in, came := p.readTrace(own, c)
	switch {
	case came:
		t = next(ts, in)
	case !has || in.TraceLow|in.TraceHigh == 0:
		t = telemetry.NewTrace()
		t.Debug, t.SampledKnown, t.Sampled, t.Forms = in.Debug, in.SampledKnown, in.Sampled, in.Forms
	default:
		t = in
	}
	if v := c.Values(HeaderSample); len(v) > 0 {
		if share, ok := telemetry.ParseSample(v[0]); ok && p.reads()&L5d != 0 {
			// What was decided before it came here, other hops have acted on.
			if _, decided := t.Decision(); !decided {
				t = t.Sample(share)
			}
		}
		c.Del(HeaderSample)
	}
	t = ts.Decide(t)
	return t, !has || t != own
}

// Restart returns a new trace for a request whose own is not to be trusted. The forms in
// which that came are written anew by Inject, so that it ends here.
func (p Propagator) Restart(c Carrier, ts *telemetry.Tracers) telemetry.Trace {
	t := telemetry.NewTrace()
	came := p.others(c)
	t.Forms = uint8(came)
	if came&W3C != 0 {
		c.Del(headerTraceState)
	}
	return ts.Decide(t)
}

// candidate is what one form says.
type candidate struct {
	trace telemetry.Trace
	form  Forms
	valid bool // with ids, or a decision alone
}

// readTrace returns the trace that came in, or own, that of the context, with the
// forms that it came in. came reports whether a span of the sender is in it. The trace
// has no ids if there is nothing but a decision, or nothing at all.
func (p Propagator) readTrace(own telemetry.Trace, c Carrier) (t telemetry.Trace, came bool) {
	t = own
	reads := p.reads()
	if v := c.Values(HeaderTrace); len(v) > 0 {
		if in, err := telemetry.ParseTrace(v[0]); err == nil && reads&L5d != 0 {
			in.Forms = own.Forms
			t, came = in, true
		}
		c.Del(HeaderTrace)
	}
	if forms := p.others(c); forms != 0 {
		return readOthers(t, came, forms, c)
	}
	return t, came
}

// others returns the forms besides Linkerd's that are there and to be read: most requests
// have none.
func (p Propagator) others(c Carrier) Forms {
	var came Forms
	reads := p.reads()
	if reads&W3C != 0 && len(c.Values(headerTraceParent)) > 0 {
		came |= W3C
	}
	if reads&B3Single != 0 && len(c.Values(headerB3)) > 0 {
		came |= B3Single
	}
	if reads&B3 != 0 && hasB3(c) {
		came |= B3
	}
	return came
}

// readOthers adds what the other forms say to the trace that l5d-ctx-trace or the
// context have.
func readOthers(t telemetry.Trace, came bool, forms Forms, c Carrier) (telemetry.Trace, bool) {
	var all [3]candidate
	n := 0
	if forms&W3C != 0 {
		v := c.Values(headerTraceParent)
		in, ok := parseTraceParent(v[0])
		all[n] = candidate{in, W3C, ok && len(v) == 1}
		n++
	}
	if forms&B3Single != 0 {
		v := c.Values(headerB3)
		in, ok := parseB3(v[0])
		all[n] = candidate{in, B3Single, ok && len(v) == 1}
		n++
	}
	if forms&B3 != 0 {
		in, ok := readB3(c)
		all[n] = candidate{in, B3, ok}
		n++
	}
	return merge(t, came, all[:n], c)
}

// merge adds to a trace what the other forms say: see the rules in the package
// comment.
func merge(t telemetry.Trace, came bool, all []candidate, c Carrier) (telemetry.Trace, bool) {
	base := t
	for _, k := range all {
		switch {
		case !k.valid || k.trace.Span == 0:
		case t.Span == 0:
			forms := t.Forms
			t, came = k.trace, true
			t.Forms = forms
		case !sameTrace(t, k.trace) || k.trace.Span == t.Span || k.trace.Span == base.Span || k.trace.Span == base.Parent:
			// It is another trace, or says nothing new.
		case t.Span == base.Span || k.trace.Parent == t.Span:
			// The sender has made a span of its own, which this form tells of.
			t, came = adopt(t, k), true
		}
	}
	for _, k := range all {
		switch {
		case !k.valid: // is written anew
		case k.trace.Span == 0: // a decision alone
			if _, decided := t.Decision(); !decided {
				t.Debug, t.SampledKnown, t.Sampled = k.trace.Debug, k.trace.SampledKnown, k.trace.Sampled
			}
		case !sameTrace(t, k.trace):
			continue // somebody else's, who will want it back as it is
		}
		t.Forms |= uint8(k.form)
		if k.form == W3C && (!k.valid || !stateFits(c.Values(headerTraceState))) {
			c.Del(headerTraceState)
		}
	}
	return t, came
}

// adopt returns t with the span that k is about. What k says about sampling counts if
// t is undecided, or if it wants the trace; W3C's "not sampled" says nothing then, since
// it is all that can be said in it of an undecided trace.
func adopt(t telemetry.Trace, k candidate) telemetry.Trace {
	t.Span, t.Parent = k.trace.Span, k.trace.Parent
	if t.TraceHigh == 0 {
		t.TraceHigh = k.trace.TraceHigh
	}
	sampled, known := k.trace.Decision()
	_, decided := t.Decision()
	if sampled || known && !decided && k.form != W3C {
		t.SampledKnown, t.Sampled = true, sampled
	}
	t.Debug = t.Debug || k.trace.Debug
	return t
}

// sameTrace compares trace ids. One of 64 bits may have lost its upper half.
func sameTrace(a, b telemetry.Trace) bool {
	return a.TraceLow == b.TraceLow && (a.TraceHigh == b.TraceHigh || a.TraceHigh == 0 || b.TraceHigh == 0)
}

func (p Propagator) extractTrace(ctx context.Context, c Carrier, ts *telemetry.Tracers) context.Context {
	t, changed := p.takeTrace(ctx, c, ts, (*telemetry.Tracers).Join)
	if !changed {
		return ctx
	}
	return telemetry.WithTrace(ctx, t)
}

// ClientTrace returns the trace of a new client span of ts: part of the span in ctx,
// or the root of a new trace. Every attempt has its own.
func ClientTrace(ctx context.Context, ts *telemetry.Tracers) telemetry.Trace {
	if t, ok := telemetry.TraceFrom(ctx); ok {
		return ts.Next(t)
	}
	return ts.Decide(telemetry.NewTrace())
}

// ClientSpan returns ctx with the trace of a new client span, as ClientTrace has
// it.
func ClientSpan(ctx context.Context, ts *telemetry.Tracers) (context.Context, telemetry.Trace) {
	t := ClientTrace(ctx, ts)
	return telemetry.WithTrace(ctx, t), t
}

// Rewrite writes the trace headers in those forms in which t came besides Linkerd's, for
// an application that reads them.
func (p Propagator) Rewrite(t telemetry.Trace, c Carrier) {
	p.writeTrace(t, Forms(t.Forms)&p.reads()&^L5d, c)
}

func (p Propagator) injectTrace(t telemetry.Trace, c Carrier) {
	forms := p.writes()
	if _, known := t.Decision(); !known {
		forms &^= W3C // in which that cannot be said, and would end the traces of those who decide by it
	}
	p.writeTrace(t, forms|Forms(t.Forms)&p.reads()&^L5d, c)
}

func (p Propagator) writeTrace(t telemetry.Trace, forms Forms, c Carrier) {
	if forms&^B3 != 0 {
		// All in one string: they are written for every request.
		var buf [16 + 56 + traceParentSize + maxB3]byte
		text := t.AppendReqID(buf[:0])
		reqID := len(text)
		if forms&L5d != 0 {
			text = t.AppendBase64(text)
		}
		l5d := len(text)
		if forms&W3C != 0 {
			text = appendTraceParent(text, t)
		}
		w3c := len(text)
		if forms&B3Single != 0 {
			text = appendB3(text, t)
		}
		all := string(text)
		if forms&L5d != 0 {
			c.Set(HeaderTrace, all[reqID:l5d])
			c.Set(HeaderReqID, all[:reqID])
		}
		if forms&W3C != 0 {
			c.Set(headerTraceParent, all[l5d:w3c])
		}
		if forms&B3Single != 0 {
			c.Set(headerB3, all[w3c:])
		}
	}
	if forms&B3 != 0 {
		writeB3(t, c)
	}
}
