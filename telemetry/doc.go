// Package telemetry counts, measures and traces what the mesh does.
//
// A Tree holds counters, gauges and stats (histograms) in scopes. Handles are
// made once, when a client or a service comes into being, and kept: the request
// path touches atomics only. Exporters walk the tree; WriteJSON is the one that
// is built in.
//
// A Trace is the identity that a request carries from hop to hop, a Span what one
// hop did for it, and Tracers decide who gets to see it.
//
// Nil trees, scopes and handles are valid and do nothing, so that libraries need
// not ask whether anybody is measuring.
package telemetry
