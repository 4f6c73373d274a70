package meshh2

import (
	"strconv"
	"strings"
)

// CallDepthError says that a request has come through more proxies than allowed, so
// that it goes in circles.
type CallDepthError struct{ Max int }

// Error returns Linkerd's text.
func (e *CallDepthError) Error() string {
	return "Maximum number of calls (" + strconv.Itoa(e.Max) + ") has been exceeded. Please check for proxy loops."
}

// callDepth counts the hops in the via fields.
func callDepth(h *Head) int {
	n := 0
	for i := range h.Fields {
		if h.Fields[i].Name == nameVia && h.Fields[i].Value != "" {
			n += strings.Count(h.Fields[i].Value, ",") + 1
		}
	}
	return n
}
