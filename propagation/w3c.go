package propagation

import (
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// The headers of W3C Trace Context.
const (
	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
)

// maxTraceState is how long a tracestate may be in all. The specification asks for 512
// octets to be passed on; a longer one than this is dropped, as it allows.
const maxTraceState = 4 << 10

// traceParentSize is the length of a traceparent of version 00.
const traceParentSize = 55

// parseTraceParent reads the value of a traceparent header, as W3C Trace Context has
// it: of later versions what version 00 knows, so long as it is followed by nothing or a
// dash. There is no parent of the span in it.
func parseTraceParent(s string) (telemetry.Trace, bool) {
	if len(s) < traceParentSize || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return telemetry.Trace{}, false
	}
	version, ok := lowerHex(s[:2])
	if !ok || version == 0xff {
		return telemetry.Trace{}, false
	}
	if len(s) > traceParentSize && (version == 0 || s[traceParentSize] != '-') {
		return telemetry.Trace{}, false
	}
	high, ok1 := lowerHex(s[3:19])
	low, ok2 := lowerHex(s[19:35])
	span, ok3 := lowerHex(s[36:52])
	flags, ok4 := lowerHex(s[53:55])
	if !ok1 || !ok2 || !ok3 || !ok4 || high|low == 0 || span == 0 {
		return telemetry.Trace{}, false
	}
	return telemetry.Trace{
		TraceHigh: high, TraceLow: low, Span: span, Parent: span,
		SampledKnown: true, Sampled: flags&1 != 0,
	}, true
}

// appendTraceParent appends the value of a traceparent of version 00. A trace whose
// sampling is undecided goes as one that is not sampled: there is no word for it.
func appendTraceParent(dst []byte, t telemetry.Trace) []byte {
	dst = append(dst, "00-"...)
	dst = telemetry.AppendID(dst, t.TraceHigh)
	dst = telemetry.AppendID(dst, t.TraceLow)
	dst = append(dst, '-')
	dst = telemetry.AppendID(dst, t.Span)
	if sampled, _ := t.Decision(); sampled {
		return append(dst, "-01"...)
	}
	return append(dst, "-00"...)
}

// lowerHex reads hexadecimal digits in lower case.
func lowerHex(s string) (uint64, bool) {
	if strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'F' }) {
		return 0, false
	}
	return parseHex(s)
}

// stateFits reports whether a tracestate is to be passed on.
func stateFits(values []string) bool {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	return size <= maxTraceState
}
