package telemetry

import (
	"math"
	"strconv"
	"strings"
)

// rate is a share of all traces, as a threshold for hashed trace ids; always has
// its own flag since no 64-bit threshold lets all through.
type rate struct {
	below  uint64
	always bool
}

func newRate(f float64) rate {
	switch {
	case f >= 1:
		return rate{always: true}
	case f > 0: // false for NaN
		return rate{below: uint64(f * (1 << 32) * (1 << 32))}
	default:
		return rate{}
	}
}

// takes decides by the trace id alone, so that all hops of a request with the
// same rate agree. The id is hashed first: not everybody's ids are random.
func (r rate) takes(t Trace) bool {
	if r.always || r.below == 0 {
		return r.always
	}
	// The finaliser of MurmurHash3, which spreads every bit over all others.
	h := t.TraceLow
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h^h>>33 < r.below
}

// ParseSample reads the value of an l5d-sample header: a float, clamped to 0..1.
// It reports false for anything else.
func ParseSample(s string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if math.IsNaN(f) || err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return min(max(f, 0), 1), true
}

// Sample returns t with its sampling decided: the given share of all traces, 0
// for none and 1 for all, chosen by trace id. It replaces a decision made before,
// as an l5d-sample header does; a debug trace stays sampled.
func (t Trace) Sample(share float64) Trace {
	t.SampledKnown = true
	t.Sampled = newRate(share).takes(t)
	return t
}
