package telemetry

import "sync/atomic"

// Gauge is a value that is computed when somebody looks. It is safe for
// concurrent use; a nil Gauge reads 0.
type Gauge struct {
	fn atomic.Pointer[func() float64]
}

// Value computes the value.
func (g *Gauge) Value() float64 {
	if g == nil {
		return 0
	}
	if fn := g.fn.Load(); fn != nil && *fn != nil {
		return (*fn)()
	}
	return 0
}

func (g *Gauge) read() (Metric, bool) {
	if g.fn.Load() == nil {
		return Metric{}, false // between its making and its first function
	}
	return Metric{Kind: KindGauge, Float: g.Value()}, true
}
