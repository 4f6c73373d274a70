package load

import "time"

// Result is what a load has seen.
type Result struct {
	Requests int64 // answered, well or not; for streams: messages
	Errors   int64 // of those, other than 2xx; and connections that failed
	Elapsed  time.Duration
	Latency  Quantiles // zero where the tool does not tell
}

// Rate is the number of requests per second.
func (r Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Requests) / r.Elapsed.Seconds()
}

// Quantiles are latencies.
type Quantiles struct {
	P50, P99, P999 time.Duration
}
