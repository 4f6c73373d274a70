// Package propagation carries what travels with a request from hop to hop: the
// deadline, the per-request dtab and the trace. In a process they live in
// context.Context, so that a call made while serving a request inherits them;
// between processes they are the l5d-ctx-* headers of Linkerd 1.x, which this package
// reads and writes.
//
// It knows headers as a Carrier only, so that HTTP headers and gRPC metadata are
// one case.
//
// # Traces of other systems
//
// Traces also come as W3C Trace Context (traceparent, tracestate) and as B3, in one header
// (b3) or five (x-b3-…). An application that knows one of these and not l5d-ctx-trace stays in
// the same trace, by these rules:
//
//   - What is malformed counts as absent, but is written anew.
//   - l5d-ctx-trace says which trace it is. Without it the context does, then traceparent, b3,
//     x-b3-….
//   - The parent of the next span is what the sender made last: of the forms that name
//     the same trace, the first whose span is another than that of l5d-ctx-trace, which
//     applications copy. A form whose parent is the chosen span is later still.
//   - A form of another trace is not ours: it is passed on as it is.
//   - A decision to sample wins over none and over one against it; "b3: 0" and the like
//     decide traces that are undecided. A traceparent that is not sampled decides only
//     where nothing else is known, since it has no word for "undecided".
//   - Written are l5d-ctx-trace and l5d-reqid, and the forms that came. More can be asked
//     for with Propagator.Write. A traceparent is not made for a trace that is undecided: it
//     would end the traces of applications that decide by it.
//   - A tracestate goes along unchanged, up to 4 KiB. It is dropped with a traceparent that is
//     malformed.
//   - A hop without tracers passes sampled traces of other systems on with their span, so that
//     their parents and children find each other.
//
// Sampling is decided once, where a request enters the mesh; see telemetry.Tracers.Decide.
package propagation
