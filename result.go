package weft

import "time"

// Class is how an outcome counts. One classifier decides it, and the balancer,
// the breaker, the retry policy and the metrics all use its answer.
type Class uint8

// The classes of an outcome. The zero Class is Success.
const (
	Success   Class = iota
	Failure         // failed, and must not be sent again
	Retryable       // failed, and may be sent again
	Ignored         // counts neither way: the caller lost interest
)

// Failed reports whether the outcome counts as a failure, retryable or not.
func (c Class) Failed() bool { return c == Failure || c == Retryable }

// String returns the class's name in lower case.
func (c Class) String() string {
	switch c {
	case Success:
		return "success"
	case Failure:
		return "failure"
	case Retryable:
		return "retryable"
	default:
		return "ignored"
	}
}

// Result is the outcome of one attempt.
type Result struct {
	Class Class

	// Err is what went wrong when no response came back. A response that counts as
	// a failure is not an error: it has a Class and no Err.
	Err error

	// Latency is the time from the pick to the end of the response. Zero lets the
	// balancer measure it itself.
	Latency time.Duration

	// RetryAfter is the endpoint's own wish for how long to be left alone, if it
	// stated one. It feeds the delay of a retry and the balancer's cost.
	RetryAfter time.Duration
}
