package telemetry

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// Trace is the identity of a span: which trace it belongs to, which span it is,
// and which one it is part of. It is a value that travels with the request in the
// context and, encoded, in l5d-ctx-trace. The zero Trace belongs to nothing.
type Trace struct {
	TraceHigh uint64 // upper half of a 128-bit trace id, 0 for a 64-bit one
	TraceLow  uint64
	Span      uint64

	// Parent is the span that this one is part of. It equals Span in a root, which
	// is how the wire format says that there is none.
	Parent uint64

	Debug        bool // sampled whatever the rates are
	SampledKnown bool // a decision was made, and Sampled is it
	Sampled      bool

	// Forms are the header forms in which the trace came, besides Linkerd's, and in
	// which it goes on. Package propagation gives the bits their meaning.
	Forms uint8

	joined bool   // the span is another process', and nobody has recorded one here
	local  bool   // the decision was made by Tracers.Decide
	rest   uint64 // flag bits without a meaning here, passed on
}

// NewTrace returns the root span of a new trace with a random 64-bit id, whose
// sampling is undecided.
func NewTrace() Trace {
	id := newID()
	return Trace{TraceLow: id, Span: id, Parent: id}
}

// Child returns a new span of the same trace that is part of t. The child of the
// zero Trace is a new trace.
func (t Trace) Child() Trace {
	if t.IsZero() {
		return NewTrace()
	}
	t.Parent, t.joined = t.Span, false
	for t.Span == t.Parent {
		t.Span = newID()
	}
	return t
}

// IsZero reports whether t is the zero Trace.
func (t Trace) IsZero() bool { return t == Trace{} }

// HasParent reports whether the span is part of another one.
func (t Trace) HasParent() bool { return t.Parent != t.Span && t.Parent != 0 }

// Decision returns whether the trace is to be recorded, if that is decided.
func (t Trace) Decision() (sampled, known bool) {
	return t.Debug || t.Sampled && t.SampledKnown, t.Debug || t.SampledKnown
}

// ReqID returns the 16 lower-case hex digits of l5d-reqid: the low half of the
// trace id.
func (t Trace) ReqID() string { return string(t.AppendReqID(make([]byte, 0, 16))) }

// AppendReqID appends ReqID to dst.
func (t Trace) AppendReqID(dst []byte) []byte { return AppendID(dst, t.TraceLow) }

// TraceID returns the trace id in lower-case hex digits, 16 or 32 of them.
func (t Trace) TraceID() string {
	if t.TraceHigh == 0 {
		return t.ReqID()
	}
	return string(AppendID(AppendID(make([]byte, 0, 32), t.TraceHigh), t.TraceLow))
}

// String returns "traceid.spanid<:parentid" in hex, as the trace log has it.
func (t Trace) String() string {
	parent := t.Parent
	if !t.HasParent() {
		parent = t.Span
	}
	if t.TraceHigh != 0 {
		return fmt.Sprintf("%016x%016x.%016x<:%016x", t.TraceHigh, t.TraceLow, t.Span, parent)
	}
	return fmt.Sprintf("%016x.%016x<:%016x", t.TraceLow, t.Span, parent)
}

// AppendID appends an id in 16 lower-case hex digits.
func AppendID(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}

// newID returns a random id. Zero is left out: other tracing systems take it for
// no id at all.
func newID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 {
			return id
		}
	}
}

type traceKey struct{}

// TraceContext is a context that carries a trace. It is WithTrace for those who
// have a place for it: neither of its fields may change while it is in use.
type TraceContext struct {
	context.Context //nolint:containedctx // it is a context itself

	Trace Trace
}

// Value implements context.Context.
func (c *TraceContext) Value(key any) any {
	if key == (traceKey{}) {
		return &c.Trace
	}
	return c.Context.Value(key)
}

// WithTrace returns a context that carries t.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return &TraceContext{Context: ctx, Trace: t}
}

// TraceFrom returns the trace that ctx carries. It reports false, with the zero
// Trace, if there is none.
func TraceFrom(ctx context.Context) (Trace, bool) {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return *t, true
	}
	return Trace{}, false
}
