package balancer

import "math"

// estimate is a latency and when it was estimated in one word, so that both change
// at once without a lock: a float32 of nanoseconds above, and below it the time in
// ticks of the meter, which wraps around. The zero estimate is no history.
type estimate uint64

func makeEstimate(ns float64, tick uint32) estimate {
	return estimate(uint64(math.Float32bits(float32(ns)))<<32 | uint64(tick))
}

// ns returns the latency in nanoseconds, 0 for no history.
func (s estimate) ns() float64 { return float64(math.Float32frombits(uint32(s >> 32))) }

// age returns how many ticks have passed since the estimate. What is older than
// half the range of ticks seems new again, for a while: with 2²⁰ ticks per Decay
// that is after 2000 Decays, when the estimate has long been forgotten, and the
// endpoint is then tried again some Decays later.
func (s estimate) age(tick uint32) float64 {
	return float64(max(int32(tick-uint32(s)), 0))
}
