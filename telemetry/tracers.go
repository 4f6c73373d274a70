package telemetry

// Tracer is told of spans that have ended. Record is called concurrently and must
// not block; the slices of the span are the tracer's to keep and must not be
// written to, since other tracers have them too.
type Tracer interface {
	Record(s Span)
}

// Sampled is a tracer with the share of traces that it is told of.
type Sampled struct {
	Tracer Tracer

	// Rate is the share of the traces whose sampling is undecided: 0 for none, 1
	// for all, chosen by trace id. A decision that came with the request wins.
	Rate float64
}

// Tracers tell several tracers of the spans that concern them. They are immutable
// and safe for concurrent use. Nil Tracers have no use for any trace.
type Tracers struct {
	all []sampledTracer
}

type sampledTracer struct {
	tracer Tracer
	rate   rate
}

// NewTracers returns the sum of list. Entries without a Tracer are skipped.
func NewTracers(list ...Sampled) *Tracers {
	ts := &Tracers{}
	for _, s := range list {
		if s.Tracer != nil {
			ts.all = append(ts.all, sampledTracer{s.Tracer, newRate(s.Rate)})
		}
	}
	return ts
}

// Sampled reports whether any tracer wants the spans of the trace. Ask before
// building a Span.
func (ts *Tracers) Sampled(t Trace) bool {
	if ts == nil || len(ts.all) == 0 {
		return false
	}
	if sampled, known := t.Decision(); known {
		return sampled
	}
	for i := range ts.all {
		if ts.all[i].rate.takes(t) {
			return true
		}
	}
	return false
}

// Start returns a span that begins now, or nil if no tracer wants it.
func (ts *Tracers) Start(t Trace, kind SpanKind, name string) *Span {
	if !ts.Sampled(t) {
		return nil
	}
	return newSpan(t, kind, name)
}

// Finish ends a span that Start returned, now, and records it. Nil is ignored.
func (ts *Tracers) Finish(s *Span) {
	if ts == nil || s == nil {
		return
	}
	s.finish()
	ts.Record(*s)
}

// Record implements Tracer: it tells every tracer that samples the span's trace.
func (ts *Tracers) Record(s Span) {
	if ts == nil {
		return
	}
	sampled, known := s.Trace.Decision()
	for i := range ts.all {
		if known && sampled || !known && ts.all[i].rate.takes(s.Trace) {
			ts.all[i].tracer.Record(s)
		}
	}
}
