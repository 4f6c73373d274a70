package propagation

import (
	"context"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// TraceFormat is how trace ids travel.
type TraceFormat uint8

// The trace formats.
const (
	// L5d is l5d-ctx-trace and l5d-reqid (kind io.l5d.default).
	L5d TraceFormat = iota
	// B3 is Zipkin's x-b3-* headers (kind io.l5d.zipkin). Incoming l5d-ctx-trace and
	// l5d-sample are removed and not used.
	B3
)

const (
	headerB3Trace   = "X-B3-Traceid"
	headerB3Span    = "X-B3-Spanid"
	headerB3Parent  = "X-B3-Parentspanid"
	headerB3Sampled = "X-B3-Sampled"
	headerB3Flags   = "X-B3-Flags"
)

// TakeTrace reads the trace headers and removes them from c. It returns the trace
// of the request: a child of the one that came in, else that of ctx, else a new
// one, so that everything that is done for the request is one trace. changed
// reports whether it is another than that of ctx.
func (p Propagator) TakeTrace(ctx context.Context, c Carrier) (t telemetry.Trace, changed bool) {
	t, has := telemetry.TraceFrom(ctx)
	changed = !has
	if in, ok := p.readTrace(c); ok {
		t, changed = in.Child(), true
	} else if !has {
		t = telemetry.NewTrace()
	}
	if v := c.Values(HeaderSample); len(v) > 0 {
		if share, ok := telemetry.ParseSample(v[0]); ok && p.Trace == L5d {
			t, changed = t.Sample(share), true
		}
		c.Del(HeaderSample)
	}
	return t, changed
}

func (p Propagator) extractTrace(ctx context.Context, c Carrier) context.Context {
	t, changed := p.TakeTrace(ctx, c)
	if !changed {
		return ctx
	}
	return telemetry.WithTrace(ctx, t)
}

func (p Propagator) readTrace(c Carrier) (telemetry.Trace, bool) {
	values := c.Values(HeaderTrace)
	c.Del(HeaderTrace)
	if p.Trace == B3 {
		return readB3(c)
	}
	if len(values) == 0 {
		return telemetry.Trace{}, false
	}
	t, err := telemetry.ParseTrace(values[0])
	return t, err == nil
}

// ClientTrace returns the trace of a new client span: a child of the span in ctx,
// or the root of a new trace. Every attempt has its own.
func ClientTrace(ctx context.Context) telemetry.Trace {
	if t, ok := telemetry.TraceFrom(ctx); ok {
		return t.Child()
	}
	return telemetry.NewTrace()
}

// ClientSpan returns ctx with the trace of a new client span, as ClientTrace has
// it.
func ClientSpan(ctx context.Context) (context.Context, telemetry.Trace) {
	t := ClientTrace(ctx)
	return telemetry.WithTrace(ctx, t), t
}

func (p Propagator) injectTrace(t telemetry.Trace, c Carrier) {
	if p.Trace == B3 {
		writeB3(t, c)
		return
	}
	// Both in one string: they are written for every request.
	text := t.AppendReqID(make([]byte, 0, 96))
	reqID := len(text)
	text = t.AppendBase64(text)
	both := string(text)
	c.Set(HeaderTrace, both[reqID:])
	c.Set(HeaderReqID, both[:reqID])
}

// readB3 reads the B3 multi-header form. The span id is required; of 128-bit trace
// ids the low half is used, as Linkerd does.
func readB3(c Carrier) (telemetry.Trace, bool) {
	span, ok := hexID(c, headerB3Span)
	if !ok {
		return telemetry.Trace{}, false
	}
	t := telemetry.Trace{Span: span, Parent: span, TraceLow: span}
	if id, ok := hexID(c, headerB3Trace); ok {
		t.TraceLow = id
	}
	if id, ok := hexID(c, headerB3Parent); ok {
		t.Parent = id
	}
	if v := c.Values(headerB3Flags); len(v) > 0 {
		if f, err := strconv.ParseUint(strings.TrimSpace(v[0]), 10, 64); err == nil {
			t = t.WithFlags(f)
		}
	}
	if v := c.Values(headerB3Sampled); len(v) > 0 {
		switch strings.ToLower(strings.TrimSpace(v[0])) {
		case "1", "true":
			t.SampledKnown, t.Sampled = true, true
		case "0", "false":
			t.SampledKnown, t.Sampled = true, false
		}
	}
	return t, true
}

func hexID(c Carrier, key string) (uint64, bool) {
	v := c.Values(key)
	if len(v) == 0 {
		return 0, false
	}
	s := strings.TrimSpace(v[0])
	if len(s) > 16 {
		s = s[len(s)-16:]
	}
	id, err := strconv.ParseUint(s, 16, 64)
	return id, err == nil
}

func writeB3(t telemetry.Trace, c Carrier) {
	c.Set(headerB3Trace, hex16(t.TraceLow))
	c.Set(headerB3Span, hex16(t.Span))
	if t.HasParent() {
		c.Set(headerB3Parent, hex16(t.Parent))
	} else {
		c.Del(headerB3Parent)
	}
	if sampled, known := t.Decision(); known {
		v := "0"
		if sampled {
			v = "1"
		}
		c.Set(headerB3Sampled, v)
	} else {
		c.Del(headerB3Sampled)
	}
	c.Set(headerB3Flags, strconv.FormatUint(t.Flags(), 10))
}

func hex16(id uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[15-i] = digits[id&0xf]
		id >>= 4
	}
	return string(b[:])
}
