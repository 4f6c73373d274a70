package telemetry

import (
	"runtime/debug"
	"strconv"
	"sync/atomic"
)

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

	// Local is for tracers that show what passes by this process, such as Recent: their
	// rate decides nothing for other tracers and other hops (see Tracers.Decide), and
	// holds for traces that others have decided against.
	Local bool
}

// Tracers tell several tracers of the spans that concern them. They are safe for
// concurrent use. Nil Tracers have no use for any trace.
type Tracers struct {
	all     []sampledTracer
	on      atomic.Bool
	version string

	// The highest of the rates that decide for others.
	decides bool
	rate    rate
	share   string // as text
}

type sampledTracer struct {
	tracer Tracer
	noter  noter // the tracer, if it wants to know at once
	rate   rate
	local  bool
}

// NewTracers returns the sum of list. Entries without a Tracer are skipped.
func NewTracers(list ...Sampled) *Tracers {
	ts := &Tracers{version: version()}
	ts.on.Store(true)
	highest := 0.0
	for _, s := range list {
		if s.Tracer == nil {
			continue
		}
		n, _ := s.Tracer.(noter)
		ts.all = append(ts.all, sampledTracer{s.Tracer, n, newRate(s.Rate), s.Local})
		if !s.Local {
			ts.decides = true
			highest = max(highest, s.Rate)
		}
	}
	ts.rate = newRate(highest)
	ts.share = strconv.FormatFloat(min(highest, 1), 'g', -1, 64)
	return ts
}

// version is that of the program's weft.
func version() string {
	const module = "github.com/weft-mesh/weft"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "weft"
	}
	if info.Main.Path == module {
		return "weft " + info.Main.Version
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return "weft " + m.Version
		}
	}
	return "weft"
}

// Switch returns the switch that turns tracing off and on again. It is on at first, and
// on without any tracer, too. What is under way when it is turned off is still recorded.
func (ts *Tracers) Switch() *atomic.Bool { return &ts.on }

// idle reports whether nothing is recorded whatever comes.
func (ts *Tracers) idle() bool { return ts == nil || len(ts.all) == 0 || !ts.on.Load() }

// Decide returns t with its sampling decided if it was not and there is a tracer whose
// rate decides: by the highest of the rates. It is called where a request enters, so
// that all hops after this one record the same traces, whatever their rates are.
func (ts *Tracers) Decide(t Trace) Trace {
	if ts.idle() || !ts.decides {
		return t
	}
	if _, known := t.Decision(); known {
		return t
	}
	t.SampledKnown, t.Sampled, t.local = true, ts.rate.takes(t), true
	return t
}

// Next returns the trace of a new span that is part of t: its child. Where other systems
// record a trace (see Trace.Forms) and nobody here does, it is t itself, so that this hop
// does not come between spans which then would not find each other. A trace of
// Linkerd's own gets a new span at every hop, as in Linkerd.
func (ts *Tracers) Next(t Trace) Trace {
	if sampled, _ := t.Decision(); sampled && (t.Forms != 0 || t.joined) && ts.idle() {
		return t
	}
	return t.Child()
}

// Join is Next for a server in the process: what it does without recording it is part of
// the caller's span, whatever form that came in.
func (ts *Tracers) Join(t Trace) Trace {
	sampled, _ := t.Decision()
	t.joined = sampled && ts.idle()
	return ts.Next(t)
}

// Sampled reports whether any tracer wants the spans of the trace. Ask before
// building a Span.
func (ts *Tracers) Sampled(t Trace) bool {
	if ts.idle() {
		return false
	}
	sampled, known := t.Decision()
	if sampled {
		return true
	}
	for i := range ts.all {
		if ts.all[i].takes(t, sampled, known) {
			return true
		}
	}
	return false
}

func (st *sampledTracer) takes(t Trace, sampled, known bool) bool {
	return sampled || (!known || st.local) && st.rate.takes(t)
}

// Start returns a span that begins now, or nil if no tracer wants it.
func (ts *Tracers) Start(t Trace, kind SpanKind, name string) *Span {
	if !ts.Sampled(t) {
		return nil
	}
	s := newSpan(t, kind, name)
	sampled, known := t.Decision()
	for i := range ts.all {
		if st := &ts.all[i]; st.noter != nil && st.takes(t, sampled, known) {
			s.notes = append(s.notes, st.noter)
		}
	}
	if kind == ClientSpan {
		s.Tag(TagClientVersion, ts.version)
	}
	if t.local && sampled && !t.HasParent() {
		s.Tag(TagSamplingRate, ts.share)
	}
	return s
}

// Finish ends a span that Start returned, now, and records it. Nil is ignored.
func (ts *Tracers) Finish(s *Span) {
	if ts == nil || s == nil {
		return
	}
	s.finish()
	ts.record(s, true)
}

// Record implements Tracer: it tells every tracer that samples the span's trace.
func (ts *Tracers) Record(s Span) {
	if ts != nil {
		ts.record(&s, false)
	}
}

// record tells the tracers of a span, but those that have been told of all that is in
// it.
func (ts *Tracers) record(s *Span, noted bool) {
	sampled, known := s.Trace.Decision()
	for i := range ts.all {
		if st := &ts.all[i]; (st.noter == nil || !noted) && st.takes(s.Trace, sampled, known) {
			st.tracer.Record(*s)
		}
	}
}
