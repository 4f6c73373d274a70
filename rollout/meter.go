package rollout

import (
	"context"
	"time"
)

// Meter measures the two branches. A Runner's method calls it from one goroutine.
type Meter interface {
	// Measure returns what the branches did in the last window, as far as it was seen.
	// The window is that of the step, and grows with it. An error says that it is not
	// known, and then nothing is decided. The first call is made before anything is
	// changed.
	Measure(ctx context.Context, window time.Duration) (older, newer Sample, err error)
}

// Sample is what one branch did.
type Sample struct {
	Requests  float64
	Successes float64

	// P50, P95 and P99 are quantiles of the latency of Timed requests. Where nothing is
	// known of latencies, Timed is zero.
	P50, P95, P99 time.Duration
	Timed         float64
}

// Rate returns the success rate, and false if there were no requests.
func (s Sample) Rate() (float64, bool) {
	if s.Requests <= 0 {
		return 0, false
	}
	return min(s.Successes/s.Requests, 1), true
}

// quantile returns the latency of a quantile that Limits can have.
func (s Sample) quantile(q float64) time.Duration {
	switch {
	case q >= 0.99:
		return s.P99
	case q >= 0.95:
		return s.P95
	}
	return s.P50
}
