package balancer

import (
	"math/rand/v2"
	"sync/atomic"
)

// Rand is a source of random numbers that is safe for concurrent use. The zero
// Rand uses the runtime's generator, which is kept per thread and so does not
// slow down with the number of cores.
type Rand struct {
	state *atomic.Uint64
}

// NewRand returns a source whose sequence is determined by seed. It is for tests
// and simulations: its users share one word.
func NewRand(seed uint64) Rand {
	r := Rand{state: new(atomic.Uint64)}
	r.state.Store(seed)
	return r
}

// Uint64 returns 64 random bits.
func (r Rand) Uint64() uint64 {
	if r.state == nil {
		return rand.Uint64()
	}
	// SplitMix64 (Steele, Lea, Flood 2014): any increment of the state is a draw,
	// so an atomic add makes it concurrent.
	z := r.state.Add(0x9e3779b97f4a7c15)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Float64 returns a number in [0, 1).
func (r Rand) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// IntN returns a number in [0, n); n must be positive and below 2³².
func (r Rand) IntN(n int) int { return scale(uint32(r.Uint64()>>32), n) }

// Pair returns two different numbers in [0, n), each pair equally likely; n must
// be at least 2 and below 2³². It costs one draw.
func (r Rand) Pair(n int) (a, b int) {
	u := r.Uint64()
	a, b = scale(uint32(u>>32), n), scale(uint32(u), n-1)
	if b >= a {
		b++
	}
	return a, b
}

// scale maps 32 random bits to [0, n) without a division (Lemire 2019); the
// bias is below n/2³².
func scale(u uint32, n int) int { return int(uint64(u) * uint64(n) >> 32) }
