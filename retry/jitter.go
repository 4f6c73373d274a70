package retry

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// The jittered backoffs draw every delay, the longest ones included: clients that
// all failed at the same moment must not come back at the same moment, and least
// of all after a long outage.

// DecorrelatedJitter is the Backoff whose delay is drawn from Base to three times
// the previous one, at most Max. The first one counts Base as its previous one.
// Linkerd calls it "jittered".
//
// The formula is that of the AWS Architecture Blog, "Exponential Backoff and
// Jitter". Finagle draws from the previous delay upwards instead, which only ever
// grows and ends at Max without jitter, and starts with exactly Base.
type DecorrelatedJitter struct {
	Base, Max time.Duration

	// Rand returns uniform numbers in [0,1) and is safe for concurrent use. Nil is
	// the standard library's generator.
	Rand func() float64
}

// Next implements Backoff.
func (j DecorrelatedJitter) Next(_ int, prev time.Duration) time.Duration {
	prev = max(prev, j.Base)
	high := j.Max
	if prev <= j.Max/3 {
		high = 3 * prev
	}
	return between(min(j.Base, j.Max), high, j.Rand)
}

// Validate returns an error unless 0 < Base ≤ Max.
func (j DecorrelatedJitter) Validate() error { return validate("decorrelated jitter", j.Base, j.Max) }

// EqualJitter is the Backoff that doubles from Base to Max and draws each delay
// from the upper half of that; the first delay is exactly Base.
type EqualJitter struct {
	Base, Max time.Duration

	// Rand returns uniform numbers in [0,1) and is safe for concurrent use. Nil is
	// the standard library's generator.
	Rand func() float64
}

// Next implements Backoff.
func (j EqualJitter) Next(attempt int, _ time.Duration) time.Duration {
	d := double(j.Base, j.Max, attempt)
	if attempt <= 1 {
		return d
	}
	return between(d/2, d, j.Rand)
}

// Validate returns an error unless 0 < Base ≤ Max.
func (j EqualJitter) Validate() error { return validate("equal jitter", j.Base, j.Max) }

// FullJitter is the Backoff that doubles from Base to Max and draws each delay
// from zero to that (AWS's "full jitter"): the least load, the most spread.
type FullJitter struct {
	Base, Max time.Duration

	// Rand returns uniform numbers in [0,1) and is safe for concurrent use. Nil is
	// the standard library's generator.
	Rand func() float64
}

// Next implements Backoff.
func (j FullJitter) Next(attempt int, _ time.Duration) time.Duration {
	return between(0, double(j.Base, j.Max, attempt), j.Rand)
}

// Validate returns an error unless 0 < Base ≤ Max.
func (j FullJitter) Validate() error { return validate("full jitter", j.Base, j.Max) }

func validate(kind string, base, longest time.Duration) error {
	switch {
	case base <= 0:
		return fmt.Errorf("retry: %s backoff: base %v: must be positive", kind, base)
	case longest < base:
		return fmt.Errorf("retry: %s backoff: max %v: must not be less than base %v", kind, longest, base)
	default:
		return nil
	}
}

// double returns base·2^(attempt−1), at most longest.
func double(base, longest time.Duration, attempt int) time.Duration {
	shift := max(attempt-1, 0)
	if shift > 62 || base > longest>>shift {
		return longest
	}
	return base << shift
}

func between(low, high time.Duration, draw func() float64) time.Duration {
	if high <= low {
		return low
	}
	if draw == nil {
		draw = rand.Float64
	}
	return low + time.Duration(draw()*float64(high-low))
}
