package balancer

import (
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

const (
	// unknownCost is added to the load of an endpoint that has work but no history:
	// Finagle's (2⁶³−1)>>16, larger than any latency.
	unknownCost = float64(1<<47 - 1)

	// defaultMean is the cluster mean while nothing is known, 1 ms.
	defaultMean = int64(time.Millisecond)
)

// latencyMeter is the cost function of EWMA. Its state is in the endpoints, but
// for the mean that they decay to.
type latencyMeter struct {
	cfg EWMA // without defaults to fill

	eps   []*Endpoint
	tau   float64      // Decay in ticks, 2²⁰ to 2²¹ of them
	shift int          // of a time in ns, to ticks
	mean  atomic.Int64 // ns
	next  atomic.Int64 // when mean is due
}

// Load implements Loader. With OriginalCost it changes the load, as Finagle's
// gauge does.
func (m *latencyMeter) Load(e *Endpoint, now int64) float64 { return m.load(e, 1, now) }

// load is latency × (pending/weight + 1): candidates are drawn by weight already,
// so that dividing the idle cost too would count the weight twice.
func (m *latencyMeter) load(e *Endpoint, inverse float64, now int64) float64 {
	if m.cfg.OriginalCost {
		m.observeOriginal(e, 0, now)
	}
	pending := float64(e.Pending())
	est := estimate(e.estimate.Load())
	v := est.ns()
	if v == 0 {
		if pending == 0 {
			return 0
		}
		return unknownCost + pending*inverse
	}
	if !m.cfg.OriginalCost {
		floor := float64(m.mean.Load())
		v = floor + (v-floor)*decay(est.age(m.ticks(now))/m.tau)
	}
	return v * (pending*inverse + 1)
}

// Observe implements Observer.
func (m *latencyMeter) Observe(e *Endpoint, r weft.Result, now int64) {
	x := float64(max(r.Latency, 0))
	if m.cfg.OriginalCost {
		m.observeOriginal(e, x, now)
		return
	}
	if r.Class.Failed() {
		x = max(x, float64(m.cfg.Penalty), float64(min(r.RetryAfter, m.cfg.MaxPenalty)))
	}
	x = max(x, 1) // 0 stands for no history
	at := m.ticks(now)
	for {
		old := e.estimate.Load()
		v := estimate(old).ns()
		switch {
		case x >= v:
			v = x
		case r.Class == weft.Ignored:
			// The caller gave up: the answer would have taken at least this long, which
			// says nothing when longer ones are known.
			return
		default:
			w := decay(estimate(old).age(at) / m.tau)
			v = x*(1-w) + v*w
		}
		if e.estimate.CompareAndSwap(old, uint64(makeEstimate(v, later(at, estimate(old))))) {
			return
		}
	}
}

// ticks is the time in ticks, which wraps around.
func (m *latencyMeter) ticks(now int64) uint32 { return uint32(now >> m.shift) } //nolint:gosec // on purpose

// later returns the later of two times.
func later(at uint32, s estimate) uint32 {
	if s != 0 && int32(at-uint32(s)) < 0 {
		return uint32(s)
	}
	return at
}

// observeOriginal is Finagle's step: reads are observations of 0.
func (m *latencyMeter) observeOriginal(e *Endpoint, x float64, now int64) {
	at := m.ticks(now)
	for {
		old := e.estimate.Load()
		v := estimate(old).ns()
		if x > v {
			v = x
		} else {
			w := decay(estimate(old).age(at) / m.tau)
			v = x*(1-w) + v*w
		}
		if e.estimate.CompareAndSwap(old, uint64(makeEstimate(v, later(at, estimate(old))))) {
			return
		}
	}
}

// tick recomputes the mean a hundred times per Decay, on the pick that is there
// when it is due. The mean is harmonic so that one endpoint with a penalty does
// not move it.
func (m *latencyMeter) tick(now int64) {
	due := m.next.Load()
	if now < due || m.cfg.OriginalCost || !m.next.CompareAndSwap(due, now+max(int64(m.cfg.Decay)/100, 1)) {
		return
	}
	n, sum := 0.0, 0.0
	for _, e := range m.eps {
		if v := estimate(e.estimate.Load()).ns(); v > 0 {
			n++
			sum += 1 / v
		}
	}
	if n > 0 {
		m.mean.Store(max(int64(n/sum), 1))
	}
}
