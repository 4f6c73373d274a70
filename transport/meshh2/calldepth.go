package meshh2

import "strconv"

// CallDepthError says that a request has come through more proxies than allowed, so
// that it goes in circles.
type CallDepthError struct{ Max int }

// Error returns Linkerd's text.
func (e *CallDepthError) Error() string {
	return "Maximum number of calls (" + strconv.Itoa(e.Max) + ") has been exceeded. Please check for proxy loops."
}
