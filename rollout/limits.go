package rollout

import "time"

// Limits are what the new branch must keep to. A negative value lifts a limit.
type Limits struct {
	// MinSuccess is the least success rate of the new branch, 0 to 1. Zero is none.
	MinSuccess float64

	// MaxSuccessDrop is how far the success rate of the new branch may be below that
	// of the old one, as a difference: 0.01 is one percentage point, which is what zero
	// is.
	MaxSuccessDrop float64

	// MaxLatencyFactor is how many times the latency of the old branch that of the new
	// one may be. Zero is 2.
	MaxLatencyFactor float64

	// MaxLatency is the most that the latency of the new branch may be. Zero is none.
	MaxLatency time.Duration

	// Quantile is that of the latencies: 0.5, 0.95 or 0.99. Zero is 0.95.
	Quantile float64

	// MinRequests is how many requests of the new branch, and of the old one where it
	// is compared, a breach takes at least. Zero is 20. A success rate takes three
	// failures, too.
	MinRequests int
}

func (l Limits) withDefaults() Limits {
	if l.MaxSuccessDrop == 0 {
		l.MaxSuccessDrop = 0.01
	}
	if l.MaxLatencyFactor == 0 {
		l.MaxLatencyFactor = 2
	}
	if l.Quantile == 0 {
		l.Quantile = 0.95
	}
	if l.MinRequests == 0 {
		l.MinRequests = 20
	}
	return l
}

// watchesLatency reports whether there is a limit of latency.
func (l Limits) watchesLatency() bool { return l.MaxLatencyFactor > 0 || l.MaxLatency > 0 }

// watchesSuccess reports whether there is a limit of success.
func (l Limits) watchesSuccess() bool { return l.MaxSuccessDrop >= 0 || l.MinSuccess > 0 }
