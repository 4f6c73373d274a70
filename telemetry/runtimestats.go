package telemetry

import (
	"math"
	"runtime/metrics"
)

// runtimeStats passes what is new in a histogram of the runtime, of seconds, on to stats.
type runtimeStats struct {
	millis, micros *Stat
	seen           []uint64 // counts at the last reading; nil: there was none
}

// add records what has come since it was called last. What came before the first call is
// left out: it may be of any age.
func (h *runtimeStats) add(v metrics.Value) {
	if v.Kind() != metrics.KindFloat64Histogram {
		return // this version of Go does not have it
	}
	now := v.Float64Histogram()
	if len(h.seen) == len(now.Counts) {
		for i, n := range now.Counts {
			if n == h.seen[i] {
				continue
			}
			at := middle(now.Buckets[i], now.Buckets[i+1])
			recordMany(h.millis, int64(at*1e3), n-h.seen[i])
			recordMany(h.micros, int64(at*1e6), n-h.seen[i])
		}
	}
	h.seen = append(h.seen[:0], now.Counts...)
}

// middle returns a value of a bucket; the outermost ones are not bounded.
func middle(lower, upper float64) float64 {
	switch {
	case math.IsInf(lower, -1):
		return upper
	case math.IsInf(upper, 1):
		return lower
	default:
		return (lower + upper) / 2
	}
}

// mostAtOnce bounds the work of one reading: a bucket of which more is new counts as that.
const mostAtOnce = 100_000

// recordMany adds n times the value v.
func recordMany(s *Stat, v int64, n uint64) {
	for range min(n, mostAtOnce) {
		s.Record(v)
	}
}
