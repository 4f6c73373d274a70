package propagation

import "strings"

// LowerName returns a header's name in lower case, as HTTP/2 and gRPC have it. Those that
// this package looks up for every request, in its own spelling, cost nothing.
func LowerName(name string) string {
	switch name {
	case HeaderDeadline:
		return "l5d-ctx-deadline"
	case HeaderCtxDtab:
		return "l5d-ctx-dtab"
	case HeaderDtab:
		return "l5d-dtab"
	case HeaderTrace:
		return "l5d-ctx-trace"
	case HeaderSample:
		return "l5d-sample"
	case HeaderReqID:
		return "l5d-reqid"
	case headerTraceParent:
		return "traceparent"
	case headerTraceState:
		return "tracestate"
	case headerB3:
		return "b3"
	case headerB3Trace:
		return "x-b3-traceid"
	case headerB3Span:
		return "x-b3-spanid"
	case headerB3Parent:
		return "x-b3-parentspanid"
	case headerB3Sampled:
		return "x-b3-sampled"
	case headerB3Flags:
		return "x-b3-flags"
	default:
		return strings.ToLower(name)
	}
}
