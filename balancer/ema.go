package balancer

import "math"

// ema is an exponential moving average over irregular samples. The first sample
// is taken as it is.
type ema struct {
	window float64 // in the unit of the stamps; 0 keeps the last sample only
	value  float64
	stamp  int64
	known  bool
}

// update adds the sample x taken at stamp and returns the average. Stamps that go
// back count as now.
func (m *ema) update(stamp int64, x float64) float64 {
	if !m.known {
		m.value, m.stamp, m.known = x, stamp, true
		return x
	}
	if stamp < m.stamp {
		stamp = m.stamp
	}
	w := 0.0
	if m.window > 0 {
		w = decay(float64(stamp-m.stamp) / m.window)
	}
	m.value, m.stamp = x*(1-w)+m.value*w, stamp
	return m.value
}

// decay returns e^-x for x ≥ 0. Busy endpoints are read microseconds after they
// were written, where three terms are exact to 2·10⁻¹⁰ and cost no call.
func decay(x float64) float64 {
	if x < 1e-3 {
		return 1 - x + x*x/2
	}
	return math.Exp(-x)
}
