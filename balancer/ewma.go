package balancer

import (
	"math/bits"
	"time"

	"github.com/weft-mesh/weft"
)

// Defaults of EWMA.
const (
	DefaultDecay      = 10 * time.Second
	DefaultPenalty    = 5 * time.Second
	DefaultMaxPenalty = 300 * time.Second
)

// EWMA is P2C over a latency cost: the endpoint's peak-sensitive moving average
// times its outstanding work plus one. An endpoint without any observation costs
// nothing as long as it has no work, and more than any other once it has: it
// gets one request and no second one before the answer. The zero EWMA has the
// documented defaults.
//
// The average jumps up to a sample above it and approaches samples below it with
// the time constant Decay. While no samples come, the cost approaches the
// harmonic mean of all endpoints, so that a slow endpoint is tried again when it
// is no longer known to be slow. A failure counts as a very slow answer.
//
// Finagle's peak EWMA differs in three points, which OriginalCost restores:
// reading the load changes it (so that it depends on how often it is read), it
// decays to 0 (so that an endpoint left alone for long looks better than any
// other, however slow it was), and failures count as fast answers.
type EWMA struct {
	// Decay is the time constant; 0 means 10 s.
	Decay time.Duration

	// Penalty is the least latency that a failed request counts as; 0 means 5 s,
	// negative means the latency it had. Where some failures are normal on all
	// endpoints, a value nearer to their latency keeps differences in latency
	// visible between the failures.
	Penalty time.Duration

	// MaxPenalty caps what an endpoint can ask for with Result.RetryAfter; 0 means
	// 300 s.
	MaxPenalty time.Duration

	// OriginalCost selects Finagle's cost.
	OriginalCost bool
}

// Build implements Policy.
func (p EWMA) Build(s Set) Picker {
	prev, _ := s.Prev.(*ewmaPicker)
	var m *latencyMeter
	if prev != nil {
		m = prev.latencyMeter
	}
	m = p.meter(m, s.Endpoints)
	return &ewmaPicker{p2cPicker{eps: s.Endpoints, rand: s.Rand, meter: m}, m}
}

// meter returns the cost function, with the cluster mean of its predecessor.
func (p EWMA) meter(prev *latencyMeter, eps []*Endpoint) *latencyMeter {
	if p.Decay <= 0 {
		p.Decay = DefaultDecay
	}
	if p.Penalty == 0 {
		p.Penalty = DefaultPenalty
	}
	if p.MaxPenalty <= 0 {
		p.MaxPenalty = DefaultMaxPenalty
	}
	m := &latencyMeter{eps: eps, cfg: p, shift: max(bits.Len64(uint64(p.Decay))-21, 0)}
	m.tau = float64(p.Decay) / float64(int64(1)<<m.shift)
	m.mean.Store(defaultMean)
	if prev != nil {
		m.mean.Store(prev.mean.Load())
		m.next.Store(prev.next.Load())
	}
	return m
}

type ewmaPicker struct {
	p2cPicker
	*latencyMeter
}

// Pick implements Picker.
func (p *ewmaPicker) Pick(c weft.Call, now int64) *Endpoint {
	p.tick(now)
	return p.p2cPicker.Pick(c, now)
}
