package propagation

import "strings"

// Forms is a set of the header forms in which a trace travels.
type Forms uint8

// The header forms.
const (
	// L5d is l5d-ctx-trace, and l5d-reqid for the logs.
	L5d Forms = 1 << iota
	// W3C is traceparent, with tracestate.
	W3C
	// B3Single is b3, Zipkin's in one header.
	B3Single
	// B3 is x-b3-traceid and its kin, Zipkin's in five.
	B3

	allForms = L5d | W3C | B3Single | B3
)

// ParseForm returns the form of a name: "l5d", "w3c", "b3single" or "b3".
func ParseForm(name string) (Forms, bool) {
	switch strings.ToLower(name) {
	case "l5d":
		return L5d, true
	case "w3c":
		return W3C, true
	case "b3single":
		return B3Single, true
	case "b3":
		return B3, true
	default:
		return 0, false
	}
}
